"""What happens to objects, told to queues, topics, functions and the event bus."""
