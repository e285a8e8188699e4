"""How alembic runs the migrations: on the connection, and in the transaction, that it was given.

Rule: no connection of its own, no settings file.
Must not know: where the database is.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
