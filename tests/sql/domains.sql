-- Domains: creation, constraints, defaults, checks at casts and input, domains over domains, arrays and composites, ALTER.
create domain posint as int check (value > 0);
create domain code as varchar(5) not null check (value ~ '^[a-z]+$') constraint nox check (value <> 'xxx');
create domain small as posint default 7 check (value < 100);
create domain nn as int not null;
select typname, typtype, typcategory, typlen, typbasetype::regtype, typtypmod, typnotnull, typdefault from pg_type where typname in ('posint', 'code', 'small', 'nn') order by 1;
select conname, contypid::regtype, contype, convalidated, pg_get_constraintdef(oid) from pg_constraint where contypid > 16384 order by contypid::regtype::text, conname;
\dD
\dD+ code
select 5::posint, 5::posint + 1, pg_typeof(5::posint), pg_typeof(5::posint + 1), 5::posint = 5;
select 0::posint;
select '0'::posint;
select (-1)::posint;
select 'x'::posint;
select null::posint;
select null::nn;
select 1::nn;
select 'abc'::code, 'abc  '::code;
select 'abcdef'::code;
select 'abcdef'::text::code;
select 'ABC'::code;
select 'xxx'::code;
select null::code;
select 5::small, 500::small, 1;
select 0::small;
select 50::small::posint, 50::posint::small, 50::small::int, 50::small::text, '50'::text::small;
select cast(1.6 as posint), cast(0.4 as posint);
select posint(5);
select posint '5', posint '0';
create domain posint as int;
create domain bad as nosuch;
create domain bad as int check (nosuch > 1);
create domain bad as int check (value > (select 1));
create domain bad as int check (sum(value) > 1);
create domain bad as int check (value || 'x');
create domain bad as int default 'x';
create domain bad as int default value;
create domain bad as int not null null;
create domain bad as int unique;
create domain bad as int primary key;
create domain bad as int references x;
create domain bad as int default 1 default 2;
create domain bad as int check (value > 0) no inherit;
create domain bad as int collate "C";
create domain bad as record;
create domain bad as anyelement;
create domain bad as int check (generate_series(1, value) > 0);
create domain bad as int constraint a check (value > 0) constraint a check (value < 9);
-- in tables
create table t (id int primary key, p posint, c code default 'def', s small, a posint[]);
\d t
insert into t (id, p) values (1, 5);
select * from t;
insert into t (id, p) values (2, 0);
insert into t (id, p, c) values (2, 1, null);
insert into t (id, p, c) values (2, 1, 'toolong');
insert into t (id, s) values (2, 100);
insert into t (id, s) values (2, null);
insert into t (id, a) values (3, '{1,2,3}');
insert into t (id, a) values (4, '{1,0}');
insert into t (id, a) values (4, array[1, -1]);
insert into t (id, a) values (4, array[1, 2]::posint[]);
insert into t (id, a) values (5, array[1, null]);
update t set p = -p where id = 1;
update t set p = p + 1, s = s * 2 where id = 1 returning *;
update t set s = s * 100 where id = 1;
update t set c = default where id = 1 returning c;
update t set p = default where id = 1 returning p;
update t set a[1] = 0 where id = 3;
update t set a[1] = 10, a[5] = 50 where id = 3 returning a;
update t set a[1:2] = '{0,1}' where id = 3;
select id, p, a[1], pg_typeof(a[1]), pg_typeof(a), a[1] + 1 from t order by id;
select a || 5, a || 0, array_append(a, 3), a = array[10, 2, 3, null, 50], pg_typeof(a || 5) from t where id = 3;
select unnest(a) from t where id = 3;
select array_agg(s), array_agg(p), max(s), sum(s), avg(s) from t;
select pg_typeof(max(s)), pg_typeof(array_agg(s)) from t;
select array[1::posint, 2], pg_typeof(array[1::posint, 2::posint]);
select array[0]::posint[];
select '{1,0}'::posint[];
select '{1,2}'::posint[], ('{1,2}'::posint[])[2];
select array[1, 2]::posint[]::int[], array[1, 2]::posint[]::text[];
select * from t where p = 5;
select * from t where s in (1, 14) or s is null order by id;
select s, count(*) from t group by s order by s;
select distinct s from t order by s;
select t1.id from t t1 join t t2 on t1.s = t2.s order by 1;
select coalesce(null::posint, 3), pg_typeof(coalesce(null::posint, 3)), pg_typeof(coalesce(null::posint, 3::posint));
select case when true then 1::posint else 0 end;
select 1::posint union select 2 order by 1;
select greatest(1::posint, 2::posint), pg_typeof(greatest(1::posint, 2::posint));
create table nnt (a nn, b int);
insert into nnt (b) values (1);
insert into nnt values (1, 1);
insert into nnt select null, 2;
insert into nnt select a, 3 from (select 5 as a) x;
select x.a from (values (1)) y (b) left join nnt x on x.a = y.b + 100;
select (select a from nnt where a = 99);
select cast((select a from nnt where a = 99) as nn);
-- COPY
copy t (id, p, c) from stdin;
30	5	abc
\.
copy t (id, p, c) from stdin;
31	0	abc
\.
copy t (id, p, c) from stdin;
31	1	\N
\.
copy t (id, p, c) from stdin;
31	1	ABC
\.
copy t (id, a) from stdin;
31	{1,-5}
\.
copy t (id, s) from stdin;
32	\N
\.
copy nnt (b) from stdin;
1
\.
copy (select id, p, c, s, a from t order by id) to stdout;
-- default
create table d (id int, s small, p small default 3);
insert into d (id) values (1) returning *;
insert into d values (2, default, default) returning *;
insert into d values (3, null, null) returning *;
create domain ds as text default 'abc';
create domain ds2 as ds;
create domain ds3 as ds default 'def';
create table d2 (a ds, b ds2, c ds3, d int);
insert into d2 (d) values (1) returning *;
alter domain ds set default 'new';
insert into d2 (d) values (2) returning *;
alter domain ds drop default;
insert into d2 (d) values (3) returning *;
create domain dnow as date default current_date;
select typdefault from pg_type where typname = 'dnow';
drop table d, d2;
-- composites and arrays
create type pair as (x posint, y text);
select row(1, 'a')::pair;
select row(0, 'a')::pair;
select '(1,a)'::pair, '(0,a)'::pair;
create domain dpair as pair check ((value).x < 10 and (value).y is not null);
select row(1, 'a')::dpair, (row(1, 'a')::dpair).x, '(2,b)'::dpair;
select row(11, 'a')::dpair;
select '(11,a)'::dpair;
select '(1,)'::dpair;
create table dp (id int, d dpair, ds dpair[]);
insert into dp values (1, row(1, 'a'), array[row(2, 'b')::dpair, row(3, 'c')]);
insert into dp values (2, row(20, 'a'), null);
insert into dp values (2, '(1,)', null);
insert into dp (id, d.x) values (3, 1);
insert into dp (id, d.x, d.y) values (3, 1, 'q') returning *;
update dp set d.x = 5 where id = 1 returning d;
update dp set d.x = 15 where id = 1;
update dp set d.y = null where id = 1;
update dp set ds[1].x = 7 where id = 1 returning ds;
update dp set ds[1].x = 70 where id = 1;
select (d).x, d.y, (ds[2]).y from dp;
select (d).x, (d).y, (ds[2]).y, (d).* from dp order by id;
create domain darr as int[] check (array_length(value, 1) = 2);
select '{1,2}'::darr, ('{1,2}'::darr)[1], array[1, 2]::darr, '{1,2,3}'::darr;
select array[1, 2, 3]::darr;
create table da (a darr);
insert into da values ('{1,2}'), (null);
insert into da values ('{1}');
update da set a[2] = 5 returning a;
update da set a[3] = 5;
select a, a[1], a || 1, pg_typeof(a), pg_typeof(a || 1), array_length(a, 1), unnest(a) from da;
create domain dd as darr check (value[1] > 0);
select '{1,2}'::dd, '{0,2}'::dd;
drop table dp, da;
drop domain dd, darr, dpair;
drop type pair;
-- ALTER DOMAIN
alter domain posint add constraint lt check (value < 1000);
alter domain posint add check (value < 10);
alter domain posint add constraint lt check (value < 2000);
alter domain posint add constraint ne check (value <> 5) not valid;
select 5::posint;
select 6::posint;
alter domain posint validate constraint ne;
alter domain posint validate constraint nosuch;
alter domain posint drop constraint nosuch;
alter domain posint drop constraint if exists nosuch;
alter domain posint drop constraint ne;
alter domain posint rename constraint lt to lt2;
alter domain posint rename constraint nosuch to x;
select 2000::posint;
alter domain posint drop constraint lt2;
select 2000::posint;
alter domain posint set not null;
delete from t where p is null;
alter domain posint set not null;
insert into t (id, p) values (90, null);
select null::posint;
alter domain posint drop not null;
select null::posint;
alter domain small set not null;
alter domain nosuch set not null;
alter domain int4 set not null;
alter domain posint add unique (value);
alter domain posint rename to posint2;
select 0::posint2;
alter domain posint2 rename to posint;
alter type posint rename to posint3;
alter domain posint3 rename to code;
alter domain posint3 rename to posint;
alter domain posint set schema nosuch;
alter domain posint owner to nosuch;
alter domain code add constraint l check (length(value) > 1);
prepare pp (posint) as select $1 + 1, $1;
execute pp (5);
execute pp (0);
execute pp ('0');
deallocate pp;
create view dv as select id, p::posint as p, 5::small as s, value from t, (values (1)) v (value);
select pg_get_viewdef('dv');
create table chk (v posint check (v < 50), w small default 5 + 5);
insert into chk values (60);
insert into chk values (-60);
\d chk
drop domain posint;
drop view dv;
drop table chk;
drop domain if exists nosuch;
drop domain nosuch;
drop domain int4;
drop type nn;
drop domain posint, code cascade;
\d t
select * from t order by id;
drop table t, nnt;
drop domain if exists small;
drop domain ds cascade;
drop domain dnow;
