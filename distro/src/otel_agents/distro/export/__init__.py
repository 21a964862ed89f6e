"""Export: bounded queues, their threads, and one log line per problem with an endpoint."""
