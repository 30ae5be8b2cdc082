-- functions in SQL: definition, calls, results, merging into queries
create schema fs;
set search_path = fs;

-- scalars
create function add1(int) returns int language sql as 'select $1 + 1';
select add1(2), add1(null), add1(add1(1));
create function add2(a int, b int default 5) returns int language sql immutable as $$ select a + b $$;
select add2(1), add2(1, 2), add2(b => 3, a => 4), add2(a := 7), add2(1, b => 2);
select add2();
select add2(c => 1);
select add2(a => 1, 2);
select add2(a => 1, a => 2);
select add2('x');
create function strict2(a int, b int) returns int language sql strict as 'select coalesce(a, 0) + coalesce(b, 0)';
select strict2(1, 2), strict2(null, 2);
create function nothing() returns int language sql as 'select 1 where false';
select nothing();
create function two() returns int language sql as 'select 1 union all select 2';
select two();
create function v() returns void language sql as 'select 1';
select v(), v() is null;
create function several(int) returns int language sql as $$ select 1; select 2; select $1 * 10; $$;
select several(4);
create function widen(int) returns bigint language sql as 'select $1';
select widen(3), pg_typeof(widen(3));
create function narrow(bigint) returns int language sql as 'select $1';
select narrow(3), narrow(3000000000);
create function txt(int) returns text language sql as 'select $1';
select txt(3) || 'x';
create function vc(text) returns varchar(3) language sql as 'select $1';
select vc('abcdef');
create function named(fs_a int) returns int language sql as 'select named.fs_a + fs_a + $1';
select named(2);
create function shadow(x int) returns int language sql as 'select x from (values (99)) t(x)';
select shadow(1);
create function empty_body() returns void language sql as '';
select empty_body();
create function empty_int() returns int language sql as '';

-- result types that do not fit
create function bad() returns int language sql as 'select ''x''::text';
create function bad() returns int language sql as 'select 1, 2';
create function bad() returns int language sql as 'create table zz(a int)';
create function bad() returns int language sql as 'select foo';
create function bad() returns int language sql as 'selec 1';
create function bad() returns int language sql as $q$select 1 +$q$;
create function bad(int) returns int language sql as 'select $2';
create function bad() returns nosuch language sql as 'select 1';
create function bad(nosuch) returns int language sql as 'select 1';
create function bad() language sql as 'select 1';
create function bad() returns int as 'select 1';
create function bad() returns int language sql;
create function bad() returns int language nosuch as 'select 1';
create function bad() returns int language sql language sql as 'select 1';
create function bad() returns int language sql immutable stable as 'select 1';
create function bad() returns int language sql cost 0 as 'select 1';
create function bad() returns int language sql rows 10 as 'select 1';
create function bad() returns setof int language sql rows 0 as 'select 1';
create function bad() returns int language sql parallel maybe as 'select 1';
create function bad() returns int language sql as 'select 1', 'b';
create function bad(out a int, out b int) returns int language sql as 'select 1, 2';
create function bad(a int default 1, b int) returns int language sql as 'select 1';
create function bad(a int, a int) returns int language sql as 'select 1';
create function bad(out a int default 3) language sql as 'select 1';
create function bad(variadic a int) returns int language sql as 'select 1';
create function bad(variadic a int[], b int) returns int language sql as 'select 1';
create function bad() returns anyelement language sql as 'select 1';
create function bad(internal) returns int language sql as 'select 1';
create function bad() returns trigger language sql as 'select 1';
create function bad(a int default x) returns int language sql as 'select 1';
create function bad(a int default 'x') returns int language sql as 'select 1';
create function bad(a int default 1.5::float8) returns int language sql as 'select a';
drop function bad;
create function bad(setof int) returns int language sql as 'select 1';
create function bad() returns int language sql as 'begin; select 1';
create function bad() returns int language sql as 'commit';
select bad();
drop function if exists bad();
set check_function_bodies = off;
create function late() returns int language sql as 'select a from later';
set check_function_bodies = on;
select late();
create table later (a int);
insert into later values (42);
select late();

-- rows
create table t (a int, b text);
insert into t values (1, 'one'), (2, 'two'), (3, null);
create function tt() returns setof t language sql stable as 'select * from t order by a';
select * from tt();
select tt();
select (tt()).*;
select (tt()).b;
select a, tt from tt() where a > 1;
select * from tt() with ordinality;
select * from tt() as x(p, q);
select x from tt() x;
create function one_row(int) returns t language sql as 'select * from t where a = $1';
select * from one_row(2);
select one_row(2), (one_row(2)).b, one_row(77), one_row(77) is null;
create function made(int, text) returns t language sql as 'select row($1, $2)::fs.t';
select * from made(5, 'five');
create function made2(int, text) returns t language sql as 'select $1, $2';
select * from made2(6, 'six'), made2(7, 'seven') m;
create function few(int) returns t language sql as 'select $1';
create function many(int) returns t language sql as 'select $1, ''x'', 3';
create function wrong(int) returns t language sql as 'select $1, point(1,2)';
create function outs(out x int, out y text) language sql as 'select 1, ''a''::text';
select outs(), (outs()).y;
select * from outs();
create function out_one(out x int) language sql as 'select 7';
select out_one(), * from out_one();
create function inouts(inout a int, b int, out c int) language sql as 'select a * 10, a + b';
select inouts(1, 2);
select * from inouts(1, 2);
create function tab(n int) returns table (i int, sq int) language sql as 'select g, g * g from generate_series(1, n) g';
select * from tab(3);
select tab(2);
select i, sq from tab(4) where sq > 4 order by i desc;
create function tab1(n int) returns table (i int) language sql as 'select generate_series(1, n)';
select * from tab1(3);
create function rec(int) returns record language sql as 'select $1, ''r''::text';
select rec(1);
select * from rec(1) as (a int, b text);
select * from rec(1) as (a bigint, b varchar);
select * from rec(1) as (a int);
select * from rec(1) as (a int, b int);
select * from rec(1);
create function recs() returns setof record language sql as 'select a, b from fs.t order by a';
select * from recs() as r(x int, y text);
select * from recs() as r(x int, y text) where x = 2;
select * from recs() as r(x text, y text);
create function setof_int(n int) returns setof int language sql as 'select generate_series(1, n)';
select setof_int(3);
select setof_int(2), setof_int(3);
select * from setof_int(3) with ordinality as s(v, n);
select * from rows from (setof_int(2), tt()) as r(n, a, b);
select a, s from t, setof_int(a) s order by 1, 2;
select count(*) from setof_int(2000);
select setof_int(0);

-- dropped columns
create table dr (a int, gone text, b int);
insert into dr values (1, 'x', 2), (3, 'y', 4);
create function drf() returns setof dr language sql as 'select * from fs.dr';
select * from drf();
alter table dr drop column gone;
select * from drf();
select drf();
select * from drf() with ordinality;
select * from rows from (drf(), setof_int(3)) as z(p, q, r);
create function drf1() returns dr language sql stable as 'select * from fs.dr order by a limit 1';
select * from drf1();
alter table dr add column c text default 'c';
select * from drf();
drop function drf(), drf1();

-- statements that change things
create function ins(int, text) returns int language sql as 'insert into t values ($1, $2) returning a * 100';
select ins(10, 'ten');
create function upd(int) returns setof t language sql as 'update t set b = b || ''!'' where a <= $1 returning *';
select * from upd(2);
create function del(int) returns void language sql as 'delete from t where a = $1';
select del(10);
select * from t order by a;
create function ins_sel(int) returns bigint language sql as $$
  insert into t values ($1, 'new');
  select count(*) from t where a = $1 $$;
select ins_sel(50), ins_sel(50);
delete from t where a = 50;
create function not_volatile() returns int language sql stable as 'insert into t values (1) returning a';
select not_volatile();
create function stable_ddl() returns void language sql stable as 'create table nope (a int)';
select stable_ddl();
create function makes() returns void language sql as 'create table made_t (a int)';
select makes();
select * from made_t;
select makes();
create function with_cte(int) returns int language sql as 'with x as (insert into t values ($1, ''cte'') returning a) select a from x';
select with_cte(60);
select count(*) from t where b = 'cte';

-- errors inside
create function div(int) returns int language sql as 'select 1 / $1';
select div(0);
select div(x) from (values (1), (0)) v(x);
create function div2(int) returns int language sql volatile as 'select 5; select 1 / $1;';
select div2(0);
create function deep(int) returns int language sql as 'select case when $1 > 0 then fs.deep($1 - 1) + 1 else 0 end';
select deep(20);
\set VERBOSITY terse
create function forever(int) returns int language sql as 'select fs.forever($1 + 1) + 1';
\set VERBOSITY default

-- polymorphism
create function same(anyelement) returns anyelement language sql as 'select $1';
select same(1), same('x'::text), same(array[1,2]), pg_typeof(same(1.5));
select same('x');
create function mk(anyelement, anyelement) returns anyarray language sql as 'select array[$1, $2]';
select mk(1, 2), mk('a'::text, 'b');
select mk(1, 'b'::text);
create function firstof(anyarray) returns anyelement language sql as 'select $1[1]';
select firstof(array[3,4]), firstof('{x,y}'::text[]);
create function compat(anycompatible, anycompatible) returns anycompatible language sql as 'select case when $1 > $2 then $1 else $2 end';
select compat(1, 2.5), pg_typeof(compat(1, 2.5)), compat(1, 2::bigint);
create function polyout(x anyelement, out y anyelement, out z anyarray) language sql as 'select x, array[x, x]';
select * from polyout(3);
select polyout('q'::text);
create function lower_of(anyrange) returns anyelement language sql as 'select lower($1)';
select lower_of(int4range(3, 5));
create function polyset(anyelement, int) returns setof anyelement language sql as 'select $1 from generate_series(1, $2)';
select * from polyset('z'::text, 2);

-- variadic
create function vsum(variadic ints int[]) returns bigint language sql as 'select sum(x) from unnest(ints) x';
select vsum(1), vsum(1, 2, 3), vsum(variadic array[4, 5]);
select vsum();
create function vfmt(text, variadic text[]) returns text language sql as 'select $1 || array_to_string($2, ''-'')';
select vfmt('p:', 'a', 'b'), vfmt('p:', variadic '{}');
create function vdef(a int, variadic b int[] default '{}') returns int language sql as 'select a + cardinality(b)';
select vdef(1), vdef(1, 2), vdef(1, 2, 3);

-- overloading
create function ov(int) returns text language sql as 'select ''int''';
create function ov(text) returns text language sql as 'select ''text''';
create function ov(numeric) returns text language sql as 'select ''numeric''';
select ov(1), ov('x'), ov(1.5), ov(1::bigint);
create function ov(int, int default 2) returns text language sql as 'select ''two''';
select ov(1);
select ov(1, 2);
drop function ov;
drop function ov(int, int);
\df ov

-- composite arguments and functional notation
create function full_b(t) returns text language sql as 'select $1.a || ''/'' || coalesce($1.b, ''-'')';
select full_b(t), t.full_b from t order by a;
create function star(r t) returns setof t language sql as 'select r.*';
select star(t) from t where a = 1;
create function field(r t) returns text language sql as 'select (r).b || field.r.b';
select field(t) from t where a = 1;

-- SQL-standard bodies
create function rb(x int) returns int return x * 2;
select rb(4);
create function rb2(x int, y int) returns int immutable begin atomic select x + y; end;
select rb2(1, 2);
create function rb3() returns setof t stable begin atomic select * from t where a < 3 order by a; end;
select * from rb3();
create function rb4(x int) returns void begin atomic insert into t values (x, 'atomic'); end;
select rb4(70);
select count(*) from t where b = 'atomic';
create function rb5(x anyelement) returns anyelement return x;
create function rb6() returns int begin atomic create table q (a int); end;
create function rb7() returns text return 1 + 1;
select rb7();
create function rb8() returns int return 'x'::text;
create function rb9() returns int language sql as 'select 1' return 2;
create function rb10() returns int return nosuch(1);
create function rb11() returns int return a;
create function rb12(out a int, out b text) begin atomic select 1, 'x'; end;
select * from rb12();
create function rb13() returns int language internal return 1;

-- definitions as text
select pg_get_functiondef('add2'::regproc);
select pg_get_functiondef('rb'::regproc);
select pg_get_functiondef('rb2'::regproc);
select pg_get_functiondef('rb3'::regproc);
select pg_get_functiondef('vsum'::regproc);
select pg_get_functiondef('tab'::regproc);
select pg_get_functiondef('inouts'::regproc);
select pg_get_function_arguments('vdef'::regproc), pg_get_function_identity_arguments('vdef'::regproc), pg_get_function_result('tab'::regproc);
select pg_get_function_sqlbody('rb2'::regproc), pg_get_function_sqlbody('add1'::regproc) is null;
create function opts(int) returns setof int language sql stable strict leakproof security definer cost 7 rows 3 parallel restricted set work_mem = '1MB' set search_path = fs, pg_temp as $x$ select $1 $x$;
select pg_get_functiondef('opts'::regproc);
select provolatile, proisstrict, prosecdef, proleakproof, procost, prorows, proparallel, proretset, proconfig from pg_proc where proname = 'opts';
\df tab*
\df rb*
\sf add2
\sf+ several

-- settings and rights
create function wm() returns text language sql set work_mem = '3MB' as 'select current_setting(''work_mem'')';
select wm(), current_setting('work_mem');
create function sp() returns text language sql set search_path = pg_catalog as 'select current_setting(''search_path'')';
select sp(), current_setting('search_path');
create function badset() returns int language sql set nosuch_thing = 1 as 'select 1';
create function badset() returns int language sql set work_mem = 'x' as 'select 1';
create role fs_user;
create role fs_owner;
grant usage on schema fs to fs_user, fs_owner;
create table secret (x int);
insert into secret values (5);
create function read_secret() returns int language sql as 'select x from fs.secret';
create function read_secret_def() returns int language sql security definer as 'select x from fs.secret';
create function who() returns name language sql security definer as 'select current_user';
set role fs_user;
select fs.read_secret();
select fs.read_secret_def();
select fs.who(), current_user;
reset role;
revoke execute on function read_secret_def() from public;
set role fs_user;
select fs.read_secret_def();
reset role;
grant execute on function read_secret_def() to fs_user;
set role fs_user;
select fs.read_secret_def();
create function fs.mine() returns int language sql as 'select 1';
drop function fs.add1(int);
alter function fs.add1(int) rename to x;
create function pg_temp.tmp() returns int language sql as 'select 8';
reset role;
select has_function_privilege('fs_user', 'fs.read_secret_def()', 'execute');

-- merging into queries
create function inl(int) returns int language sql immutable as 'select $1 * 2 + 1';
explain (verbose, costs off) select inl(a) from t;
explain (verbose, costs off) select * from t where inl(a) = 3;
create function inl_v(int) returns int language sql volatile as 'select $1 + random()::int';
explain (verbose, costs off) select inl_v(a) from t;
create function inl_s(int) returns int language sql immutable as 'select $1 + random()::int';
explain (verbose, costs off) select inl_s(a) from t;
create function inl_strict(int, int) returns int language sql strict as 'select $1 + $2';
explain (verbose, costs off) select inl_strict(a, a) from t;
create function inl_nonstrict(int) returns int language sql strict as 'select coalesce($1, 3)';
explain (verbose, costs off) select inl_nonstrict(a) from t;
create function inl_unused(int, int) returns int language sql as 'select $1';
explain (verbose, costs off) select inl_unused(a, a) from t;
create function inl_twice(int) returns int language sql as 'select $1 + $1';
explain (verbose, costs off) select inl_twice(a + 1) from t;
explain (verbose, costs off) select inl_twice(random()::int) from t;
create function inl_sub(int) returns bigint language sql stable as 'select count(*) from t where a = $1';
explain (verbose, costs off) select inl_sub(1);
explain (verbose, costs off) select inl(3);
create function inl_nested(int) returns int language sql as 'select fs.inl(fs.inl($1))';
explain (verbose, costs off) select inl_nested(a) from t;
explain (verbose, costs off) select * from tt() where a = 1;
explain (costs off) select * from setof_int(3);
create function tparam(int) returns setof t language sql stable as 'select * from t where a = $1';
explain (costs off) select * from tparam(2);
select * from tparam(2);
explain (costs off) select x.a, y.b from t x, tparam(x.a) y;
select x.a, y.b from t x, tparam(x.a) y order by 1;
create function tstrict(int) returns setof t language sql stable strict as 'select * from t where a = $1';
explain (costs off) select * from tstrict(2);
create function tvol(int) returns setof t language sql as 'select * from t where a = $1';
explain (costs off) select * from tvol(2);
explain (costs off) select * from tab(2);
create function tstab(n int) returns table (i int, sq bigint) language sql stable as 'select g, g * g from generate_series(1, n) g';
explain (verbose, costs off) select sq from tstab(3) where i > 1;
select sq from tstab(3) where i > 1;
explain (costs off) select * from tt() with ordinality;
select count(*) from t where exists (select 1 from tparam(t.a));

-- replacing
create or replace function add1(int) returns int language sql as 'select $1 + 100';
select add1(1);
create or replace function add1(int) returns bigint language sql as 'select 1::bigint';
create or replace function add1(x int) returns int language sql as 'select x + 1';
select add1(1);
create or replace function add1(y int) returns int language sql as 'select y + 1';
create function add1(int) returns int language sql as 'select 1';
create or replace function add2(a int, b int) returns int language sql as 'select 1';
create or replace function add2(a int, b int default 6) returns int language sql as 'select a - b';
select add2(1);
create or replace function outs(out x int, out z text) language sql as 'select 1, ''a''::text';
create or replace procedure add1(int) language sql as 'select 1';
prepare p1 as select add1(x) from (values (1), (2)) v(x);
execute p1;
create or replace function add1(x int) returns int language sql as 'select x + 7';
execute p1;
deallocate p1;

-- altering and dropping
alter function add1(int) rename to plus;
select plus(1);
alter function plus(int) immutable strict cost 5;
alter function plus(int) rows 5;
alter function plus(int) set work_mem = '2MB';
alter function plus(int) set enable_seqscan = off;
select proconfig, provolatile, proisstrict, procost from pg_proc where proname = 'plus';
alter function plus(int) reset work_mem;
select proconfig from pg_proc where proname = 'plus';
alter function plus(int) reset all;
select proconfig from pg_proc where proname = 'plus';
create schema fs2;
alter function plus(int) set schema fs2;
select fs2.plus(1);
alter function fs2.plus(int) owner to fs_owner;
select proowner::regrole from pg_proc where proname = 'plus';
alter function nosuch(int) immutable;
alter function fs2.plus immutable;
alter procedure fs2.plus(int) rename to z;
comment on function fs2.plus(int) is 'adds';
select obj_description('fs2.plus(int)'::regprocedure, 'pg_proc');
drop function nosuch(int);
drop function if exists nosuch(int), nosuch2(fs.nosuchtype), nosuchschema.f(int);
drop function several;
drop procedure fs2.plus(int);
drop function fs2.plus(int);

-- what depends on functions
create view uses as select rb(a) from t;
create table has_default (x int default rb(3), check (rb2(x, 1) > 0));
insert into has_default default values;
insert into has_default values (-5);
select * from has_default;
drop function rb(int);
drop function rb(int) cascade;
\d has_default
drop function rb2(int, int) cascade;
create type ty as (p int);
create function uses_ty(ty) returns int language sql as 'select $1.p';
drop type ty;
drop type ty cascade;
create index on t (inl(a));
drop function inl(int);
create index on t (vdef(a));
drop function inl(int) cascade;

-- other languages
create function lc(text) returns text language internal immutable strict as 'lower';
select lc('ABC');
create function lc2(int4, int4) returns int4 language internal as 'int4pl';
select lc2(3, 4);
create function lc3(int) returns int language internal as 'nosuchthing';
select routine_name, data_type, routine_type, external_language, is_deterministic, security_type from information_schema.routines where routine_schema = 'fs' and routine_name in ('lc', 'add2', 'opts', 'tab') order by 1;
select parameter_name, ordinal_position, parameter_mode, data_type, parameter_default from information_schema.parameters where specific_schema = 'fs' and specific_name like 'add2%' order by 2;
do language sql $$ select 1 $$;
do language nosuch 'x';
drop schema fs2;
\set VERBOSITY terse
drop schema fs cascade;
drop role fs_user;
drop role fs_owner;
