-- Where the batches end that were under way when a stream failed: comma-separated seqs, ascending.
-- Whoever tries them again, on whichever node, cuts them in the same places.
ALTER TABLE streams ADD COLUMN stretches TEXT NOT NULL DEFAULT '';
