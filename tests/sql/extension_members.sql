create extension citext; create extension hstore;
\dAc btree citext
\dAf btree citext
\dAo btree citext_ops
\dAo+ hash citext_ops
\dAp btree citext_ops
\dAp hash *hstore*
\df hstore_eq
\do @>
comment on operator class citext_ops using btree is 'mine';
select obj_description(oid,'pg_opclass') from pg_opclass where opcname='citext_ops' order by 1;
create role oo; alter operator class citext_ops using btree owner to oo; alter operator family citext_ops using btree owner to oo;
drop role oo;
select pg_get_userbyid(opcowner) from pg_opclass where opcname='citext_ops' and opcmethod=403;
alter operator class citext_ops using btree owner to postgres; alter operator family citext_ops using btree owner to postgres; drop role oo;
drop operator class citext_ops using btree;
drop type citext;
alter extension citext drop operator class citext_pattern_ops using btree;
alter extension citext add operator class citext_pattern_ops using btree;
select count(*) from pg_depend where refclassid='pg_extension'::regclass and refobjid=(select oid from pg_extension where extname='citext');
