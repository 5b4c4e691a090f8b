"""Running: how an audit is started, watched and repeated, by schedulers and by pytest."""
