"""What the tests over the whole product share."""
