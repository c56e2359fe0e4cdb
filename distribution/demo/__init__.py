"""A company of our own invention, with a year of history, to look around in. Nothing here is real: the names are put
together from lists, every domain ends in .example, and the phone numbers are those set aside for films and books."""
