"""`wagate up`: the processes of one machine, started in order, restarted when they die."""
