"""What is remembered: tables, migrations, repositories. The only room that imports sqlmodel."""
