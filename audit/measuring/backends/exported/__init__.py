"""Models as graphs of another library: exported here from a checkpoint, or found as a file."""
