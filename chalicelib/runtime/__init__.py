"""Settings, AWS clients, rows and their privacy register, encryption, queues, observability."""
