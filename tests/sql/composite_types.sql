-- Composite types: CREATE, ALTER, DROP TYPE, row types of tables, values in columns, arrays, casts, dependencies.
create type ct as (a int, b text);
\d ct
select typname, typtype, typcategory, typlen, typalign, typstorage, typinput, typoutput from pg_type where typname in ('ct', '_ct') order by 1;
select relkind, reltype = 'ct'::regtype, relnatts, relhasindex from pg_class where relname = 'ct';
select attname, atttypid::regtype, attnum from pg_attribute where attrelid = 'ct'::regclass order by attnum;
create type ct as (x int);
create type ct2 as (a int, a text);
create type ct2 as (a record);
create type ct2 as (a nosuch);
create type ct2 as (a anyelement);
create type ct2 as (a int collate "C");
create type nosuchschema.ct2 as (a int);
create type empty as ();
select row()::empty, '()'::empty, pg_typeof('()'::empty);
drop type empty;
create type ct2 as (i int, c ct, cs ct[]);
create table tt (id int primary key, c ct, cs ct[], d ct2);
insert into tt values (1, row(1, 'a'), array[row(1, 'x')::ct, row(2, null)::ct], row(5, row(6, 'six'), null));
insert into tt values (2, (2, 'b'), '{"(3,z)",NULL}', null), (3, null, null, null), (4, '(4,"q r")', '{}', '(1,"(2,b)","{""(3,c)""}")');
select * from tt order by id;
select id, (c).a, (c).b, (tt.c).*, (cs[1]).a, (d).c.b, ((d).c).a, (d).cs[1].b from tt order by id;
select c.a from tt;
select tt.c.a from tt;
select id from tt where c = row(2, 'b');
select id from tt where (c).a > 1 order by 1;
select id from tt where c is null order by 1;
select id from tt where c is not null order by 1;
select c from tt order by c;
select c, count(*) from tt group by c order by c;
select max((c).a), array_agg(c order by id) from tt;
select array_agg((c).b order by id) from tt;
select unnest(cs) from tt where id = 1;
select * from tt, unnest(cs) u where id < 3;
select u from tt, unnest(cs) u where id = 1;
select u.a, u.b, u from tt, unnest(cs) as u where id = 1;
select x, y from tt, unnest(cs) as u (x, y) where id = 1;
select x, y, o from tt, unnest(cs) with ordinality as u (x, y, o) where id = 1;
select cs || row(9, 'nine')::ct, row(0, 'zero')::ct || cs, array_append(cs, (7, 'seven')::ct), cardinality(cs) from tt where id = 1;
select cs[1] = row(1, 'x'), row(1, 'x') = any (cs), row(1, 'x')::ct = any (cs) from tt where id = 1;
select array_position(cs, row(1, 'x')::ct), array_remove(cs, row(1, 'x')::ct) from tt where id = 1;
create index on tt (c);
create unique index on tt ((c::text));
create table tp (c ct primary key, n int);
insert into tp values (row(1, 'a'), 1), (row(1, 'b'), 2), (row(null, 'a'), 3);
insert into tp values (row(1, 'b'), 4);
insert into tp values (null, 4);
select * from tp order by c;
select * from tp where c = row(1, 'b')::ct;
explain (costs off) select * from tp where c < row(1, 'b')::ct;
select tp.n, tt.id from tp join tt on tp.c = tt.c order by 1;
update tp set c = row(1, 'c') where n = 2 returning *;
-- ALTER TYPE
alter type ct add attribute z int;
select c, (c).z from tt order by id;
select row(1, 'q', 2)::ct, row(1, 'q')::ct;
update tt set c.z = 7 where id = 1 returning c;
alter type ct add attribute z int;
alter type ct add attribute w ct;
alter type ct add attribute w ct[];
alter type ct drop attribute b;
select c, cs, (c).z from tt order by id;
select row(1, 2)::ct, '(5,6)'::ct;
alter type ct drop attribute nosuch;
alter type ct drop attribute if exists nosuch;
alter type ct rename attribute a to aa;
alter type ct rename attribute nosuch to bb;
alter type ct rename attribute aa to z;
select (c).aa from tt where id = 1;
alter type ct alter attribute aa type bigint;
alter type ct2 alter attribute i type bigint;
create type free as (a int, b text);
alter type free alter attribute a type text, add attribute d date, drop attribute b;
\d free
alter type free alter attribute nosuch type text;
alter type free rename to freer;
alter type freer set schema nosuch;
create schema s;
alter type freer set schema s;
\d s.freer
select row('x', date '2020-01-01')::s.freer;
alter type s.freer rename to ct2;
drop type s.ct2;
alter type tt add attribute q int;
alter type tt rename to tt2;
alter table ct add column q int;
alter table ct rename to q;
alter type _ct rename to q;
alter type nosuch add attribute a int;
-- row types of tables
create table base (a int, b text);
insert into base values (1, 'x'), (2, 'y');
create table holder (r base, rs base[]);
insert into holder select base, array[base, base] from base;
select * from holder;
select (r).a, (rs[2]).b from holder;
alter table base add column c int;
select * from holder;
alter table base add column d int default 5;
alter table base alter column a type bigint;
alter table base drop column b;
select r, (r).c from holder;
insert into base values (3, 33, 333);
insert into holder select base from base where a = 3;
select * from holder order by (r).a;
select base from base order by a;
select base.*, base is not null from base order by a;
alter table base rename column c to cc;
select (r).cc from holder order by (r).a;
drop table base;
drop table base cascade;
\d holder
drop table holder;
-- casts
select row(1, 2)::ct::text, ('(3,4)'::text)::ct;
select row(1, 2)::ct = row(1, 2)::ct, row(1, 2)::ct < row(1, 3);
select row(1, 2)::ct::record;
select (row(1, 2)::ct)::int;
select 5::ct;
select array[row(1, 2)::ct]::text[];
select array[row(1, 2)::ct]::record[];
select row(1, 2)::ct2;
select row(1, row(2, 3), null)::ct2;
select row(1, row(2, 'x'), null)::ct2;
select row(1, row(2, 3), array[row(4, 5)])::ct2;
select coalesce(null::ct, row(1, 2)), coalesce(null::ct, row(1, 2)::ct);
select case when true then row(1, 2)::ct else row(3, 4) end;
select row(1, 2)::ct union all select row(3, 4)::ct;
select pg_typeof(row(1, 2)::ct), pg_typeof(array[row(1, 2)::ct]), row(1, 2)::ct is null, row(null, null)::ct is null;
select format_type('ct'::regtype, null), 'ct[]'::regtype, '_ct'::regtype;
prepare p (ct) as select ($1).aa, $1;
execute p ('(8,9)');
execute p (row(1, 2));
execute p ('(8');
deallocate p;
create view v as select id, c, (c).aa as x, tt, row(id, c) as r from tt;
\d+ v
select * from v order by id;
copy tt (id, c, cs) to stdout;
copy tt (id, c) from stdin;
50	(1,2)
51	\N
\.
copy tt (id, c) from stdin;
52	(1,
\.
select id, c from tt where id >= 50 order by id;
-- dependencies
drop type ct;
drop type ct restrict;
drop type if exists nosuch;
drop type nosuch;
drop type tt;
drop type _ct;
drop table ct;
comment on column ct.aa is 'a column';
drop view v;
drop type ct2 cascade;
drop type ct cascade;
\d tt
\d tp
drop table tt, tp;
-- functions returning composites in FROM
select * from pg_get_keywords() limit 0;
select (pg_get_keywords()).word from pg_get_keywords() limit 0;
select count(*) > 10 from (select pg_get_keywords() k) s where (k).catcode = 'R';
select * from unnest(array[1, 2]) as (a int);
select * from generate_series(1, 2) as g (a int);
drop schema s;
