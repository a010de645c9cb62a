"""The client port to WhatsApp and its implementations. The only room that imports neonize."""
