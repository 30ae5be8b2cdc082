select 1
select 1, 'a', 1.5, true, null, 10000000000, 1e10, -1, - 2.5
select * from t
select t.*, u.a as x from t, u
select a from t, u
select t.a from t x
select nope from t
select t.nope from t
select aa from t
select q.a from t
select bb, kk from t, u
select * from nope
select * from pub.nope
select * from t join u using (a)
select * from t natural join u
select * from t full join u using (a)
select * from t left join u on t.a = u.a
select * from t join u on t.a
select * from t join u using (zz)
select * from t, t
select t.a from t, u where a = 1
select a+1, a||'x', -a, c*2, a/2.0, d+1, d - d from t
select a + b from t
select a = b from t
select b = 'x', a = '1' from t
select a = 'x' from t
select f(1)
select abs('x'), abs(-1), length(b), upper('a'), round(c,1), now(), coalesce(a,1) from t
select length(1)
select sum(a), count(*), count(distinct b), avg(a), min(b), max(d) from t
select a, count(*) from t
select a, count(*) from t group by a
select a+1, count(*) from t group by a
select a+1, count(*) from t group by a+1
select b, count(*) from t group by 1 having count(*) > 1 order by 2
select b, count(*) from t group by 3
select b from t group by a
select t.b, sum(a) from t group by t.b order by sum(a) desc
select sum(sum(a)) from t
select a from t where sum(a) > 1
select a from t group by sum(a)
select a from t order by 3
select a from t order by 'x'
select a as x, b as x from t order by x
select distinct a from t order by b
select distinct on (a) a, b from t order by b
select distinct on (a) a, b from t order by a, b
select a from t limit 'x'
select a from t limit a
select a from t limit 10 offset '5'
select case when a > 1 then 'x' else b end, case a when 1 then 1.5 else 2 end from t
select case when a then 1 end from t
select case a when 'x' then 1 end from t
select coalesce(a, 'x') from t
select coalesce(a, 'x'::text) from t
select greatest(a, 1.5), least(b, 'x'), nullif(a, 1) from t
select a in (1,2,3), a in (1, 2.5), b in ('x','y'), a in ('1') from t
select a in (1, 'x') from t
select a between 1 and 2, a not between symmetric 1 and 2 from t
select b like 'x%', b ilike 'x', b similar to 'x', b ~ 'x' from t
select a is null, b is not null, (a>1) is true, a is distinct from 1 from t
select a is true from t
select array[1,2], array[1,2.5], array['a','b'], array[[1],[2]], array[]::int[] from t
select array[]
select array[1,'x']
select f[1], f[1:2], (f)[1] from t
select a[1] from t
select f['x'] from t
select row(1,2), (1,2) = (1,3), (1,'a') < (2,'b')
select (1,2) = (1,2,3)
select '1'::int, 'x'::text, 1::text, '2020-01-01'::date, cast('1' as bigint), int '5', 1.5::int
select 'x'::int
select '2020-13-01'::date
select a::date from t
select a::boolean, true::int, 'a'::char(3), 'abc'::varchar(2), 1.234::numeric(10,2) from t
select 1::nope
select 1::int(3)
select ''::varchar(0), 1::numeric(2000)
select exists(select 1), (select a from t), array(select a from t), a in (select a from u) from t
select (select a, b from t)
select a in (select a, s from u) from t
select (a, b) in (select 1, 'x') from t
select a = any(f), a > all(array[1,2]), a = any('{1,2}') from t
select a = any(a) from t
select a > all(select b from t) from t
select x.y from (select 1 as y) x
select * from (select 1, 2) x(a, b)
select * from (select 1) 
select * from (values (1,'a'),(2,'b')) v
select * from (values (1,'a'),(2,'b')) v(x, y) where x > 1
values (1, 'a'), (2, null)
values (1, 2), (3)
values (1), ('x')
select 1 union select 2
select 1 union all select 2.5 union select null
select 1 union select 'x'
select a, b from t union select 1
select a from t union select s from u order by a
select a from t union select s from u order by a + 1
select a from t intersect select 1 except select 2 order by 1 limit 3
with q as (select a, b from t) select * from q where a > 1
with q(x) as (select a, b from t) select x, b from q
with q(x,y,z) as (select a, b from t) select x from q
with recursive r(n) as (select 1 union all select n+1 from r where n < 10) select * from r
with recursive r as (select 1 as n union all select n+1.5 from r) select * from r
with recursive r as (select n from r) select * from r
with q as (select 1), q as (select 2) select 1
with a as (select * from b), b as (select 1) select * from a
select * from generate_series(1,3)
select * from generate_series(1,3) g
select * from generate_series(1,3) as g(x)
select g.* , ordinality from generate_series(1,3) with ordinality g
select * from unnest(array[1,2], array['a','b']) as z(x,y)
select t.a, g from t, generate_series(1, t.a) g
select * from t, (select t.a) s
select * from t, lateral (select t.a as z) s
select * from t right join lateral (select t.a) s on true
select generate_series(1,3), a from t
select a from t where generate_series(1,2) = 1
select rank() over (order by a), sum(a) over (partition by b), count(*) over w from t window w as (order by a)
select rank() from t
select sum(a) over nope from t
select a from t where rank() over () = 1
select sum(rank() over ()) from t
select a from t for update
select a from t for update of x
select count(*) from t for update
select distinct a from t for share
select a from t union select 1 for update
select current_date, current_timestamp, current_user, localtime(2), user, current_schema, current_catalog
select extract(year from d), substring(b from 1 for 2), trim(b), position('x' in b), overlay(b placing 'x' from 1) from t
select d at time zone 'UTC', interval '1 day', interval '1' day, timestamp '2020-01-01 00:00' from t
select (t).a, (t).* from t
select (t).zz from t
select (a).zz from t
select ctid, tableoid, xmin from t
select b collate "C", a collate "C" from t
select b collate "C" from t
select b collate "nope" from t
select $1 + 1, $2 || 'x'
select $1
select * from t where a = $1 and b = $2 limit $3
select count(*) filter (where a > 1), string_agg(b, ',' order by a desc), array_agg(distinct a) from t
select string_agg(b) from t
select count(a, b) from t
select sum(b) from t
select abs(distinct 1)
select abs(1) over ()
select count() from t
select t.a from t group by t.a order by t.b
select (select t.b) from t group by a
select (select sum(t.a)) from t
select (select sum(t.a + u.a) from u) from t group by b
select a, b from t group by (a, b)
select a b from t x where x.a = 1 order by b
select upper(b) from t group by upper(b) order by upper(b)
select abalance from acc where aid = 1
select 1 where 1
select 1 where 'x'
select * from t where not a
select t.a, u.a from t cross join u inner join acc on acc.aid = t.a
select * from (t join u on true) as j
select j.k from (t join u using (a)) as j(x)
select nullif(1, 'x')
select lower(a) from t
select a || a from t
select 1 + '2', '1' + '2', 'a' || 'b', 2 ^ 3, 5 % 2, |/ 4.0, @ -5
select '1' < 2, 'a' < 'b', 1.5 > 1, 1::smallint + 1, 1::bigint + 1, 1.5::float8 + 1, 1.5::float4 * 2
select now() - interval '1 day', now() - now(), current_date + 1, current_date - '2020-01-01', '2020-01-01'::date < now()
select pg_typeof(1), pg_catalog.length('x'), pg_catalog.nope(1)
select make_interval(days => 1), make_interval(1, days => 2), make_interval(nope => 1)
select *
select t.* from u
select public.t.a, analyze_w.public.t.b from public.t
select other.public.t.b from public.t
select relname, relkind from pg_class where oid = 1259::oid
select c.relname, n.nspname from pg_class c left join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r','p','') and n.nspname !~ '^pg_toast' order by 1,2
select pg_class.oid, count(*) from pg_class group by relname
