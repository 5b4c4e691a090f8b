"""History: many records go in; series of their numbers and alarms come out."""
