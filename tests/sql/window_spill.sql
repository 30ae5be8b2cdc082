-- Windows whose partitions do not fit into work_mem: results are the same as with much of it.
set work_mem = '64kB';
create table ws (id int, g int, v int, n numeric, f float8, t text, d date);
insert into ws
  select i, i % 3, (i * 7919) % 1000, (i % 97) / 4.0, (i % 13) / 2.0,
         case when i % 11 = 0 then null else 'text ' || (i * 31) % 500 end, date '2020-01-01' + (i * 17) % 400
  from generate_series(1, 9000) i;
update ws set v = null where id % 501 = 0;
analyze ws;

-- A digest of many rows, order by order.
create function digest(text) returns text language sql as 'select md5($1)';

select count(*), sum(r), md5(string_agg(r::text, ',' order by id)) from
  (select id, row_number() over (order by id) r from ws) x;
select count(*), md5(string_agg(concat_ws(':', r, dr, pr, cd, nt), ',' order by id)) from
  (select id, rank() over w r, dense_rank() over w dr, percent_rank() over w pr, cume_dist() over w cd, ntile(7) over w nt
   from ws window w as (partition by g order by v, id)) x;
select md5(string_agg(concat_ws(':', r, dr, pr, cd), ',' order by id)) from
  (select id, rank() over w r, dense_rank() over w dr, percent_rank() over w pr, cume_dist() over w cd
   from ws window w as (partition by g order by v desc nulls last)) x;
select md5(string_agg(concat_ws(':', a, b, c, d, e, f), ',' order by id)) from
  (select id, lag(v) over w a, lead(v, 1500) over w b, lag(t, 700, 'none') over w c, lead(t, g, t) over w d,
          lag(id, -3) over w e, lead(1, 2, 0) over w f
   from ws window w as (order by d, id)) x;
select md5(string_agg(concat_ws(':', a, b, c, d), ',' order by id)) from
  (select id, first_value(t) over w a, last_value(t) over w b, nth_value(v, 2000) over w c, nth_value(id, g + 1) over w d
   from ws window w as (order by id rows between 1200 preceding and 1300 following)) x;

-- ROWS, with functions that can be taken back and that cannot.
select md5(string_agg(concat_ws(':', a, b, c, d, e), ',' order by id)) from
  (select id, sum(v) over w a, count(*) over w b, avg(n) over w c, min(v) over w d, count(t) over w e
   from ws window w as (partition by g order by id rows between 40 preceding and 30 following)) x;
select md5(string_agg(concat_ws(':', a, b, c), ',' order by id)) from
  (select id, sum(v) over w a, sum(f) over w b, max(t) over w c
   from ws window w as (order by id rows between 3 following and 1 following)) x;
select md5(string_agg(concat_ws(':', a, b, c), ',' order by id)) from
  (select id, sum(v) over w a, count(f) over w b, bool_and(v > 3) over w c
   from ws window w as (order by id rows between unbounded preceding and 5 preceding)) x;
select md5(string_agg(concat_ws(':', a, b), ',' order by id)) from
  (select id, sum(v) over w a, count(f) over w b
   from ws window w as (order by id rows between current row and unbounded following)) x;
-- Whole partitions and peer groups.
select g, count(*), min(s), max(s), min(a), max(c) from
  (select g, sum(v) over (partition by g) s, avg(n) over (partition by g) a, count(*) filter (where v > 500) over (partition by g) c from ws) x
  group by g order by g;
select sum(s), sum(c), max(c) from (select sum(v) over (order by g) s, count(t) over (order by g) c from ws) x;
select sum(s), sum(c) from (select sum(v) over () s, count(*) over () c from ws) x;
select md5(string_agg(concat_ws(':', s, r), ',' order by id)) from
  (select id, sum(v) over w s, rank() over w r from ws window w as (partition by v % 2 order by g)) x;
-- RANGE.
select md5(string_agg(concat_ws(':', a, b, c), ',' order by id)) from
  (select id, sum(v) over w a, count(*) over w b, last_value(id) over w c
   from ws window w as (order by id range between 100 preceding and 17 following)) x;
select md5(string_agg(concat_ws(':', a, b), ',' order by id)) from
  (select id, count(*) over w a, sum(id) over w b
   from ws window w as (order by v desc nulls first range between 10 preceding and 5 preceding)) x;
select md5(string_agg(concat_ws(':', a, b), ',' order by id)) from
  (select id, count(*) over w a, sum(id) over w b
   from ws window w as (order by v range between 10 following and 25 following)) x;
select md5(string_agg(concat_ws(':', a, b), ',' order by id)) from
  (select id, count(*) over w a, sum(id) over w b
   from ws window w as (order by d range between interval '10 days' preceding and interval '1 month' following)) x;
select md5(string_agg(concat_ws(':', a, b), ',' order by id)) from
  (select id, count(*) over w a, sum(id) over w b
   from ws window w as (order by n desc range between 1.5 preceding and current row)) x;
select md5(string_agg(concat_ws(':', a, b), ',' order by id)) from
  (select id, count(*) over w a, sum(id) over w b
   from ws window w as (order by v range between current row and unbounded following)) x;
-- GROUPS.
select md5(string_agg(concat_ws(':', a, b, c), ',' order by id)) from
  (select id, count(*) over w a, sum(id) over w b, dense_rank() over w c
   from ws window w as (order by v groups between 2 preceding and 1 following)) x;
select md5(string_agg(concat_ws(':', a, b), ',' order by id)) from
  (select id, count(*) over w a, sum(id) over w b
   from ws window w as (order by d groups between 3 following and 5 following)) x;
select md5(string_agg(concat_ws(':', a, b), ',' order by id)) from
  (select id, count(*) over w a, sum(id) over w b
   from ws window w as (order by d groups between 900 preceding and 395 preceding)) x;
select md5(string_agg(concat_ws(':', a, b), ',' order by id)) from
  (select id, count(*) over w a, sum(id) over w b
   from ws window w as (order by d groups between unbounded preceding and 1 following)) x;
-- EXCLUDE.
select md5(string_agg(concat_ws(':', a, b, c), ',' order by id)) from
  (select id, count(*) over w a, sum(id) over w b, first_value(id) over w c
   from ws window w as (order by v, id rows between 20 preceding and 20 following exclude current row)) x;
select md5(string_agg(concat_ws(':', a, b, c), ',' order by id)) from
  (select id, count(*) over w a, sum(id) over w b, nth_value(v, 3) over w c
   from ws window w as (order by v range between 1 preceding and 1 following exclude group)) x;
select md5(string_agg(concat_ws(':', a, b), ',' order by id)) from
  (select id, count(*) over w a, sum(id) over w b
   from ws window w as (order by v groups between 1 preceding and 1 following exclude ties)) x;
select md5(string_agg(concat_ws(':', a), ',' order by id)) from
  (select id, last_value(v) over w a
   from ws window w as (partition by g order by v groups between 1 preceding and unbounded following exclude ties)) x;
-- FILTER, computed arguments, several windows.
select md5(string_agg(concat_ws(':', a, b, c), ',' order by id)) from
  (select id, sum(v + g) filter (where v > 100) over w a, count(*) filter (where t like '%1%') over w b, avg(v * 2) over w c
   from ws window w as (order by id rows between 500 preceding and 500 following)) x;
select md5(string_agg(concat_ws(':', a, b, c, d), ',' order by id)) from
  (select id, sum(v) over (partition by g) a, rank() over (order by v, id) b,
          lead(id) over (partition by g order by t, id) c, count(*) over (order by d, id rows 9 preceding) d
   from ws) x;
-- Partitions large and small, in turn.
select k, count(*), sum(s), sum(l) from
  (select k, sum(id) over w s, lead(id) over w l
   from (select id, case when id between 100 and 7000 then 50 else id / 100 end k from ws) y
   window w as (partition by k order by id rows between 3 preceding and unbounded following)) x
  where k between 45 and 75 group by k order by k;
-- Errors in the middle.
select sum(x) from (select ntile(case when id = 1 then 0 else 1 end) over (order by id) x from ws) y;
select sum(x) from (select nth_value(id, case when id = 8000 then 0 else 1 end) over (order by v rows between unbounded preceding and unbounded following) x from ws) y;
select count(*) from (select sum(100 / (id - 8999)) over (order by v rows between 5 preceding and 5 following) x from ws) y;
-- LIMIT reads no further than it must; rescans begin anew.
select id, sum(v) over (order by id rows between 2 preceding and 2 following) from ws order by id limit 5;
select q.a, (select sum(s) from (select sum(v) over (order by id rows between 1 preceding and 1 following) s from ws where g = q.a) x)
  from (values (0), (1), (2), (1)) q(a);
-- Run conditions.
explain (costs off) select * from (select id, row_number() over (order by id) r from ws) x where r <= 3;
select * from (select id, row_number() over (order by id) r from ws) x where r <= 3;
explain (costs off) select * from (select id, rank() over (order by id) r from ws) x where 5 > r;
explain (costs off) select * from (select id, g, dense_rank() over (partition by g order by id) r from ws) x where r = 2;
select * from (select id, g, dense_rank() over (partition by g order by id) r from ws) x where r = 2;
explain (costs off) select * from (select id, g, count(*) over (partition by g order by id) r, sum(v) over (partition by g order by id rows between 1 preceding and 1 following) s from ws) x where r < 3;
select * from (select id, g, count(*) over (partition by g order by id) r, sum(v) over (partition by g order by id rows between 1 preceding and 1 following) s from ws) x where r < 3 order by g, id;
explain (costs off) select * from (select id, count(*) over (order by id rows between current row and unbounded following) r from ws) x where r >= 8998;
select * from (select id, count(*) over (order by id rows between current row and unbounded following) r from ws) x where r >= 8998;
explain (costs off) select * from (select id, count(*) over () c from ws) x where c <= 3;
select * from (select id, count(*) over () c from ws) x where c <= 3;
explain (costs off) select * from (select id, row_number() over (order by id) r, row_number() over (order by v) q from ws) x where r <= 3 and q < 5000;
select * from (select id, row_number() over (order by id) r, row_number() over (order by v, id) q from ws) x where r <= 3 and q < 5000;
explain (costs off) select * from (select id, sum(v) over (order by id) r from ws) x where r <= 3;
explain (costs off) select * from (select id, row_number() over (order by id) r from ws) x where r >= 8999;
explain (costs off) select * from (select id, row_number() over (order by id) r from ws) x where r <= random();
drop function digest(text);
drop table ws;
