-- Enums: creation, order, functions, ADD and RENAME VALUE, indexes, arrays, polymorphism, casts, errors.
create type mood as enum ('sad', 'ok', 'happy');
select typname, typtype, typcategory, typlen, typbyval, typalign, typinput, typoutput from pg_type where typname in ('mood', '_mood') order by 1;
select enumlabel, enumsortorder from pg_enum where enumtypid = 'mood'::regtype order by enumsortorder;
\dT+ mood
create type mood as enum ('x');
create type none as enum ();
\set VERBOSITY terse
create type dup as enum ('a', 'b', 'a');
\set VERBOSITY default
create type longlabel as enum ('abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl');
create type nosuch.e as enum ('a');
select 'sad'::mood, 'happy'::mood > 'ok'::mood, 'sad'::mood < 'ok', 'ok' = 'ok'::mood, 'sad'::mood <> 'ok';
select 'SAD'::mood;
select ''::mood;
select null::mood;
select 'x'::none;
select mood 'ok', cast('ok' as mood), mood('ok');
create table p (id int primary key, m mood, ms mood[]);
insert into p values (1, 'happy', '{sad,happy}'), (2, 'sad', array['ok', 'sad']::mood[]), (3, null, '{}'), (4, 'ok', null);
insert into p values (5, 'bad', null);
insert into p values (5, null, '{bad}');
select * from p order by m, id;
select * from p order by m desc nulls last, id;
select id from p where m > 'sad' order by m;
select id from p where m = 'ok';
select id from p where m in ('ok', 'happy') order by id;
select id from p where m = any ('{sad,ok}'::mood[]) order by id;
select id from p where 'sad' = any (ms) order by id;
select id from p where m > 'bad';
select min(m), max(m), count(m), count(distinct m) from p;
select m, count(*) from p group by m order by m;
select distinct m from p order by 1;
select array_agg(m order by m), array_agg(m order by id) from p;
select ms[1], ms[1] < ms[2], ms || 'ok'::mood, 'ok'::mood || ms, array_length(ms, 1) from p where id = 1;
select unnest(ms) from p where id = 2;
select array_position(ms, 'happy'), ms @> '{sad}', ms = '{sad,happy}', ms < '{ok}' from p where id = 1;
select array['ok', 'sad']::mood[], array['ok'::mood, 'sad'];
select array_append(null::mood[], 'ok'), array_fill('ok'::mood, array[2]), array_cat('{ok}'::mood[], '{sad}');
select greatest('ok'::mood, 'sad', 'happy'), least('ok'::mood, 'sad'), coalesce(null, 'ok'::mood), nullif('ok'::mood, 'ok');
select case when true then 'ok'::mood else 'sad' end;
select 'ok'::mood::text, 'ok'::text::mood, 'ok'::varchar::mood, 'ok'::mood || 'x', length('ok'::mood::text);
select 'ok'::mood::int;
select 1::mood;
select upper('ok'::mood);
select upper('ok'::mood::text);
select 'ok'::mood = 'ok'::text;
select 'ok'::mood like 'o%';
select 'ok'::mood + 1;
-- functions
select enum_first(null::mood), enum_last(null::mood), enum_first('ok'::mood), enum_range(null::mood);
select enum_range('ok'::mood, 'happy'), enum_range(null, 'ok'::mood), enum_range('ok'::mood, null), enum_range('happy'::mood, 'sad');
select enum_first(null);
select enum_range(null, null);
select enum_first(1);
select enum_first(null::none);
select enum_range(null::none);
select enum_cmp('sad'::mood, 'ok'), enum_cmp('ok'::mood, 'ok'), enum_larger('ok'::mood, 'sad'), enum_smaller('ok'::mood, 'sad');
select enum_eq('ok'::mood, 'ok'), enum_lt('ok'::mood, 'sad');
create type other as enum ('sad', 'red');
select 'sad'::mood = 'sad'::other;
select enum_range('sad'::mood, 'sad'::other);
select 'sad'::mood::other;
select 'sad'::mood::text::other;
-- ADD VALUE
alter type mood add value 'fine' after 'ok';
alter type mood add value 'gloomy' before 'sad';
alter type mood add value 'ecstatic';
alter type mood add value 'ok';
alter type mood add value if not exists 'ok';
alter type mood add value 'x' after 'nosuch';
alter type mood add value 'x' before 'nosuch';
alter type mood add value 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl';
alter type nosuch add value 'x';
alter type int4 add value 'x';
select enumlabel, enumsortorder from pg_enum where enumtypid = 'mood'::regtype order by enumsortorder;
select enum_range(null::mood);
insert into p values (6, 'fine', '{ecstatic,gloomy}'), (7, 'gloomy', null);
select id, m from p order by m, id;
alter type mood add value 'fine2' before 'happy';
alter type mood add value 'fine1' before 'fine2';
alter type mood add value 'fine0' before 'fine1';
select enum_range('ok'::mood, 'happy'::mood);
select enumlabel, enumsortorder from pg_enum where enumtypid = 'mood'::regtype order by enumsortorder;
select 'fine'::mood < 'fine0'::mood, 'fine1'::mood > 'fine0'::mood, 'fine1'::mood < 'fine2'::mood;
begin;
alter type mood add value 'new';
select 'new'::mood;
rollback;
begin;
alter type mood add value 'new';
select enum_last(null::mood);
rollback;
select 'new'::mood;
begin;
alter type mood add value 'new' before 'gloomy';
select 'ok'::mood;
commit;
select 'new'::mood, enum_first(null::mood);
begin;
create type intx as enum ('a', 'b');
select 'a'::intx;
rollback;
-- RENAME VALUE
alter type mood rename value 'new' to 'newer';
alter type mood rename value 'new' to 'x';
alter type mood rename value 'newer' to 'ok';
select enum_first(null::mood);
alter type mood rename value 'ok' to 'okay';
select * from p where m = 'okay';
select 'ok'::mood;
alter type mood rename value 'okay' to 'ok';
-- keys and indexes
create table k (m mood primary key, t text);
insert into k values ('ok', 'a'), ('sad', 'b');
insert into k values ('ok', 'c');
insert into k values ('ok', 'c') on conflict (m) do update set t = excluded.t returning *;
create table r (m mood references k, n int);
insert into r values ('ok', 1), ('sad', 2);
insert into r values ('happy', 3);
explain (costs off) select * from k where m > 'ok';
select k.*, r.n from k join r using (m) order by m;
create index on p (m);
set enable_seqscan = off;
select id from p where m >= 'ok' order by m, id;
reset enable_seqscan;
create table ch (m mood check (m > 'sad') default 'ok');
insert into ch values (default), ('happy');
insert into ch values ('sad');
select * from ch order by m;
\d ch
create table hashed as select (array['sad', 'ok', 'happy']::mood[])[g % 3 + 1] as m, g from generate_series(1, 100) g;
select m, count(*), sum(g) from hashed group by m order by m;
select a.m, count(*) from hashed a join hashed b using (m) group by 1 order by 1;
alter table hashed alter column m type text;
alter table hashed alter column m type mood using m::mood;
select m, count(*) from hashed group by m order by m;
-- names, cast, privileges, renames
alter type other rename to others;
alter type others owner to nosuch;
alter type others set schema nosuch;
select 'red'::others;
comment on column p.m is 'x';
prepare q (mood) as select $1 > 'ok', id from p where m = $1 order by id;
execute q ('happy');
execute q ('nosuch');
execute q ('happy'::mood);
deallocate q;
copy p (id, m, ms) to stdout;
copy p (id, m) from stdin;
20	happy
21	\N
\.
copy p (id, m) from stdin;
22	nosuch
\.
select pg_typeof(m), pg_typeof(ms), pg_column_size(id) from p where id = 1;
select row(m, id), (row(m, id)).f1 from p where id = 1;
select row('ok'::mood) < row('happy'::mood), row(m) = row(m) from p where id = 1;
create view pv as select id, m from p where m > 'ok'::mood;
select pg_get_viewdef('pv');
select * from pv order by id;
drop type mood;
drop type mood, others cascade;
\d p
select * from p order by id;
drop table p, k, r, ch, hashed;
drop type none;
