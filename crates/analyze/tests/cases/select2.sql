select a, b from t group by a, b having c > 1
select a from t having a > 1
select 1 from t having count(*) > 1
select a, (select count(*) from u where u.a = t.a) from t group by a
select a, (select count(*) from u where u.a = t.c) from t group by a
select sum(a) from t group by b order by a
select b from t group by b order by sum(a), b desc
select sum(a) as s from t group by b having s > 1
select a as x from t where x = 1
select a + 1 as x from t group by x
select x.a, count(*) from t x group by a
select a as b, b as a from t group by a
select a from t group by 1.5
select a, sum(b::int) over (partition by a order by sum(c)) from t group by a, b
select sum(a) over (order by b rows between 1 preceding and 2 following), sum(a) over (rows unbounded preceding) from t
select sum(a) over (rows between current row and 1 preceding) from t
select sum(a) over w, rank() over (w order by b) from t window w as (partition by a)
select rank() over (w order by b) from t window w as (order by a)
select rank() over (w) from t window w as (order by a rows current row)
select sum(a) over (rows a preceding) from t
select sum(a) over (rows 'x' preceding) from t
select lag(a) over (order by b), lag(a, 1, 0) over (order by b), nth_value(b, 2) over (), ntile(3) over () from t
select count(*) over (), count(a) filter (where b = 'x') over () from t
select rank() filter (where true) over () from t
select sum(distinct a) over () from t
select a from t window w as (), w as ()
select (select (select t.a)), (select x from (select t.b as x) y) from t
select * from t where a = (select a from u where u.s = t.a limit 1)
select * from t where exists (select 1 from u where u.a = t.nope)
select * from t where exists (select 1 from u where k = d)
select a from t where a = all (select 1.5)
select a from t where (a, b) = (select 1, 'x')
select a from t where (a, b) < any (select 1, 'x')
select a from t where (a, b) in ((1, 'x'), (2, 'y'))
select a from t where a in (b, 1)
select a from t where a in (select b from t)
select * from (select a from t) x join (select a as a from u) y using (a)
select * from t x, lateral (select x.a + u.a as z from u) y where z > 1
select x.* from t x left join lateral (select * from u where u.a = x.a) y on true
select y.* from (t x join u y on x.a = y.a) left join acc z on z.aid = y.a
select z.a from (t x join u y on x.a = y.a) z
select z.b from (t x join u y on x.a = y.a) z
select x.b from (t x join u y on x.a = y.a) z
select * from t x join u y on z.a = 1 join acc z on true
select * from t x join u y using (a) where a = 1 and x.a = y.a
select a from t x full join u y using (a) group by a
select x.a from t x full join u y using (a) group by a
select count(*) from t cross join u cross join acc
select t.a as id, u.a as uid from t natural full join u
select * from t x join t y using (a, a)
select * from t x join (select 1 as a, 2 as a) y using (a)
select * from t x(p, q), u y(p) where x.p = y.p
select * from t x(p, q, r, s, v, w, z)
select * from u as x(a1, b1, c1, d1)
with recursive r(n, m) as (values (1, 'a'::text) union select n + 1, m || 'b' from r where n < 5) select n, m from r order by 1
with recursive r as (select 1 as n union all select n + 1 from r, r r2) select * from r
with recursive r as (select 1 as n union all (select n + 1 from r union select 5)) select n from r
with x as (select 1 as a), y as (select a + 1 as b from x) select x.*, y.* from x, y
with x as (select 1 as a) select (select a from x), exists (select 1 from x where a = t.a) from t
with x as (insert into t (a) values (1) returning *) select count(*), max(b) from x
with t as (select 1 as z) select z from t
with t as (select * from t) select a from t
select * from (with q as (select 1 as one) select * from q) z
select 1 as a union select 2 as b order by a
select 1 as a union select 2 as b order by b
(select a from t order by b limit 1) union all (select s from u)
select a, b from t union all select a, b from t order by b desc, 1 limit 5
select null union select 1
select null union select null
select 'a' union select 'b' union select null
select 1 union select 1.5 union select 2::float8
select 1 intersect select '1'
select a, b from t except select b, a from t
select array[1] union select '{2}'
select '2020-01-01' union select current_date
values (1, 'a', null), (2.5, 'b', now())
select * from (values (1), (2.5)) as v(x) where x = 1
select column1, column2 from (values (1, 'x')) z
select distinct on (b) a from t order by b, a
select distinct a, b from t order by b, a + 0
select distinct sum(a) from t group by b order by sum(a)
select all a from t
select a from t order by a using <
select a from t order by a using =
select a from t order by b nulls first, c desc nulls last
select a from t fetch first 3 rows only
select a from t order by a fetch first 3 rows with ties
select a from t limit null
select a from t limit -1
select a from t offset sum(1)
select t.a from t for no key update of t skip locked
select x.a from (select * from t) x for update
select x from generate_series(1,2) x for update of x
select 1 from t join u on true for update of t, u nowait
select a from t for update of public.t
select a from t group by a for update
with q as (select a from t) select * from q for update
with q as (select a from t) select * from q for update of q
select date '2020-01-01' + time '10:00', date '2020-01-01' + interval '1 day', timestamp '2020-01-01' - date '2020-01-01'
select date_trunc('day', now()), date_part('year', d), to_char(d, 'YYYY'), age(d) from t
select extract(epoch from now()), extract(dow from timestamp '2020-01-01'), extract('year' from d) from t
select 'a' || 1, 1 || 'a', 'a' || null, array[1] || 2, 1 || array[2], array[1] || array[2], 'x' || array['y']
select '{1,2}'::int[] = array[1,2], array[1,2] @> array[1], 1 = any('{1,2}')
select 5 / 2, 5 / 2.0, 5::int8 / 2, 2 ^ 3, 2 ** 3
select not true, not null, true and null, 1 = 1 or false
select true and 1
select not 1
select true is not false, null is unknown, (1 = 1) is not true
select 1 is true
select 1 between '0' and 2, 'b' between 'a' and 'c', 1 not between symmetric 3 and 2
select 'x' = 'y', null = null, null is null, 'x' is null
select cast('x' as char), 'abc'::char(2), 'abc'::bpchar, 'x'::char varying(3), '1'::decimal(5), 1::real
select interval '1' year, interval '1-2' year to month, interval(3) '1.2345 s', '1 day'::interval day
select time '10:00', time with time zone '10:00+00', timestamp(3) '2020-01-01 10:00:00.1234', timestamptz '2020-01-01'
select current_time, current_time(1), localtimestamp, localtimestamp(3), current_role, session_user
select 1e400, 99999999999999999999, 0.1, .5, 5.
select '99999999999'::int
select 99999999999::int4
select 'abc'::numeric
select '1'::numeric(3,5), 12.345::numeric(3)
select ('1' || '2')::int + 1, '5' * 2, '5'::text * 2
select -'5', - '5'::int, + 5, !1
select a as "A b", b as "select" from t
select t.a.b from t
select a.b.c.d.e from t
select nope.t.a from t
select pg_catalog.abs(-1), pg_catalog.nope(1), nope.abs(1)
select 1 operator(pg_catalog.+) 2, 1 operator(nope.+) 2
select count(*) as n, sum(abalance)::bigint, avg(abalance) from acc
select bid, sum(abalance) from acc group by bid having sum(abalance) <> 0 order by bid
select row(1, 'a', null), row(t.*), (row(1,2)).f1 from t
select (row(1,2)).f3
select case when true then 1 when false then 'x' end
select case 1 when 1 then null else 'x' end, case when true then '1' else 2 end
select nullif(a, 'x') from t
select nullif(1, 2.5), nullif('a', 'b'), nullif(null, 1)
select greatest(1, 'x')
select greatest(1, 2.5, null), least('a', 'b'), coalesce(null, null)
select array_agg(a), array_agg(b order by a), array_agg(array[a]) from t
select string_agg(distinct b, ',' order by b), count(distinct a), sum(a order by b) from t
select string_agg(distinct b, ',' order by a) from t
select count(distinct *) from t
select sum(*) from t
select count(*, 1) from t
select bool_and(a > 1), every(true), bit_or(a), stddev(a), variance(c), max(e), min(k) from t, u
select max(a, 1) from t
select * from pg_class where relname = 'x'::name and reltuples > 1 and oid = 5
select oid, relname::text || '.' from pg_class where relkind = 'r' and relnamespace = 11
select c.oid::regclass::text, pg_get_expr(d.adbin, d.adrelid) from pg_class c join pg_attrdef d on d.adrelid = c.oid
select typname, typlen from pg_type where typname like 'int%' order by typname
select datname, pg_encoding_to_char(encoding), datcollate from pg_database
select proname, proargtypes[0], prorettype::regtype from pg_proc limit 1
select 'NaN'::float8, 'infinity'::float4, 0.1::float8
select ((((((((((((((((((((((((((((((((((((((((((((((((a+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1)+1) from t
select 1 union select 2 union all select 1.5
(select a from t union select s from u) except select 1.5 order by 1
select distinct a from t union select 2.5
(select a from t order by a limit 1) union all select 2.5 union select a::int8 from u
select a, (select x from (select t.a union select 2 union all select 1.5) q(x)) from t
with recursive r ( n , b ) as ( select 1 union all select b + 1 from r where n < 10 ) select * from r
select sum ( a ) over ( partition by generate_series(1,2) ) from t
select 'x' union select row(1,2)
select a from t where ( a , b ) = ( select 1 , 2 , 'x' )
