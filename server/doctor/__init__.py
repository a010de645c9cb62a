"""What `wagate doctor` looks at: one small check per file, none of which changes anything."""
