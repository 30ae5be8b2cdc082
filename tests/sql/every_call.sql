-- Where an error about a missing order or equality points.
select x from (values ('{}'::json)) v(x) order by x;
select 1 as one, x from (values ('{}'::json)) v(x) order by 1, x desc;
select count(*), x from (values ('(1,2)'::point)) v(x) group by x;
select distinct x from (values ('{}'::json)) v(x);
select count(*) over (partition by x) from (values ('{}'::json)) v(x);
select count(*) over (order by x) from (values ('{}'::json)) v(x);
select string_agg('a', 'b' order by x) from (values ('{}'::json)) v(x);
-- Functions in the select list run no further than asked.
select generate_series(100, 9223372036854775807) limit 3;
select generate_series('-infinity'::timestamptz, '2024-02-29', '24:00') limit 2;
select x, generate_series(1, x), generate_series(1, 2000) % 1000 as z from (values (1), (1500)) v(x) limit 4 offset 1500;
select count(*), sum(a), sum(b) from (select generate_series(1, 3000) a, generate_series(1, 1025) b from generate_series(1, 3)) s;
select x, generate_series(1, x) from (values (0), (2), (0), (1)) v(x);
select count(*) from (select unnest(array_agg(g)), generate_series(1, 5) from generate_series(1, 2049) g) s;
