"""Records as a static site: a folder of them goes in; index, pages, trends and feed come out."""
