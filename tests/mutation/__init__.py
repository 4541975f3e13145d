"""Mutation testing: the code is changed in one place, and the tests of that module must fail (`make mutants`)."""
