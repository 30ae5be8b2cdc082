-- Sorts, hash joins and hash aggregation that do not fit into work_mem give the same rows as those that do.
set work_mem = '64kB';
set max_parallel_workers_per_gather = 0;
create table s (a int, b int, t text, n numeric);
insert into s select i, (i * 7919) % 20011, 'text ' || (i * 31) % 5003, ((i * 17) % 1009) / 8.0 from generate_series(1, 20000) i;
insert into s values (null, null, null, null), (null, 5, 'x', 1.50), (7, null, null, 1.5);
analyze s;

-- Sorting on disk: integers, strings, several keys, both directions, nulls.
select count(*), sum(k) from (select a * row_number() over () % 97 as k from (select a from s order by b, a offset 0) x) y;
select * from (select row_number() over () as r, a, b from (select a, b from s order by b desc nulls last, a offset 0) x) y where r % 2500 = 1 order by r;
select * from (select row_number() over () as r, t, a from (select t, a from s order by t, a desc offset 0) x) y where r % 2500 = 0 order by r;
select * from (select row_number() over () as r, n, a from (select n, a from s order by n desc, a offset 0) x) y where r % 4000 = 2 order by r;
select a, repeat(t, 3) from s order by repeat(t, 30) desc, a limit 3 offset 19000;
select distinct b % 3 as d from s order by d;
select count(distinct t), count(distinct a), count(distinct n) from s;

-- Hash joins in several batches: all kinds, duplicates, nulls, wide rows.
set enable_mergejoin = off;
set enable_nestloop = off;
select count(*), sum(x.a), sum(y.a) from s x join s y on x.a = y.b;
select count(*), sum(x.a), count(y.a) from s x left join s y on x.a = y.b;
select count(*), count(x.a), count(y.a) from s x full join s y on x.a = y.b and x.b = y.a;
select count(*), sum(a) from s x where exists (select 1 from s y where y.b = x.a and y.t <> x.t);
select count(*), sum(a) from s x where not exists (select 1 from s y where y.b = x.a);
select count(*), sum(length(x.t || y.t)) from s x join s y on x.t = y.t and x.b < y.b;
select count(*), max(z) from (select x.a, repeat(y.t, 20) as z from s x join s y on x.b = y.a) q;
-- One key with most of the rows.
create table skew as select case when i % 10 = 0 then i else 1 end as k, i as v from generate_series(1, 8000) i;
analyze skew;
select count(*), sum(x.v % 13) from skew x join (select * from skew where v % 40 = 0 or v < 4) y on x.k = y.k;

-- Hash aggregation in several batches.
set enable_sort = off;
select count(*), sum(c), sum(s), max(m) from (select b, count(*) c, sum(a) s, max(t) m from s group by b) x;
select count(*), sum(c), sum(l) from (select t, n, count(*) c, length(string_agg(t, ',')) l from s group by t, n) x;
select count(*), sum(cnt) from (select a, avg(n) av, count(*) cnt from s group by a) x;
select count(*) from (select distinct a, b, t from s) x;
select count(*) from (select a from s union select b from s) x;
select count(*) from (select a from s intersect select b from s) x;
select count(*) from (select a from s except select b from s) x;
reset enable_sort;
reset enable_mergejoin;
reset enable_nestloop;

-- Materialised rows on disk.
with w as materialized (select a, repeat(t, 10) r from s) select count(*), max(length(r)) from w x where a in (select a from w where a % 2 = 0);
select count(*) from (select * from s order by t) x, (values (1), (2)) v(k) where x.a > 10;

-- An error in the middle leaves nothing behind.
select sum(1 / (a - 19999)) from (select a from s order by b offset 0) x;
select count(*) from s x join s y on x.a = y.b where 1 / (x.a - 19999) >= 0;
begin;
declare c cursor for select a, t from s order by t, a;
fetch 2 from c;
move 15000 in c;
fetch 2 from c;
close c;
commit;
create index s_t on s (t, b desc);
create index s_b on s (b);
set enable_seqscan = off;
set enable_bitmapscan = off;
select t, b from s where t >= 'text 4' order by t, b desc limit 3;
select count(*) from s where b between 100 and 300;
drop table s, skew;
