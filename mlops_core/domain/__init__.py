"""The definitions, values and rules that everything else is made of; no engine."""
