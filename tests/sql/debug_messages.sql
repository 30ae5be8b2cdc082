-- What DDL tells those who debug.
SET client_min_messages = debug1;
CREATE TEMP TABLE table1 (id serial PRIMARY KEY, b int UNIQUE, c serial, CHECK (b > 0));
ALTER TABLE table1 ADD COLUMN d serial;
ALTER TABLE table1 ADD COLUMN e int GENERATED ALWAYS AS IDENTITY;
CREATE INDEX ON table1 (b);
CREATE INDEX ON table1 (b) INCLUDE (c);
ALTER TABLE table1 ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES table1 (id);
ALTER TABLE table1 ADD CHECK (b > 1);
REINDEX TABLE table1;
VACUUM FULL table1;
CLUSTER table1 USING table1_pkey;
RESET client_min_messages;
DROP TABLE table1;
