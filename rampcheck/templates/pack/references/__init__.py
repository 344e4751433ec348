"""Conforming servers, one package a contract."""
