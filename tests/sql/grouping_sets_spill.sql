-- Grouping sets beyond work_mem, and over types that hash but do not sort.
create table gs (a int, b int, c text, v numeric);
insert into gs select i % 7, i % 4001, 'text ' || i % 5003, i from generate_series(1, 20000) i;
analyze gs;
set work_mem = '64kB';
create temp table r1 as select a, b, c, grouping(a, b, c) g, count(*) n, sum(v) s, max(c) m from gs group by cube (a, b, c);
set enable_hashagg = off;
create temp table r2 as select a, b, c, grouping(a, b, c) g, count(*) n, sum(v) s, max(c) m from gs group by cube (a, b, c);
set work_mem = '64MB';
set enable_hashagg = on;
create temp table r3 as select a, b, c, grouping(a, b, c) g, count(*) n, sum(v) s, max(c) m from gs group by cube (a, b, c);
select g, count(*), sum(n), sum(s), md5(string_agg(concat_ws(':', a, b, c, n, s, m), ',' order by a, b, c)) from r1 group by g order by g;
select g, count(*), sum(n), sum(s), md5(string_agg(concat_ws(':', a, b, c, n, s, m), ',' order by a, b, c)) from r2 group by g order by g;
select count(*) from (table r1 except all table r2) x;
select count(*) from (table r2 except all table r3) x;
set work_mem = '64kB';
select count(*), sum(n) from (select a, b, c, count(*) n, array_agg(v order by v desc) o, count(distinct a) d from gs group by rollup (c, b, a)) x;
select count(*), sum(n), sum(d) from (select b, c, count(*) n, count(distinct a) d from gs group by grouping sets ((b), (c), ())) x;
select count(*), sum(n) from (select b, c, count(*) n from gs group by grouping sets ((b), (c), (b, c), ()) having count(*) > 3) x;
select g, count(*) from (select grouping(b, c) g from gs group by rollup (b, c) limit 3000) x group by g having g < 3;
select a, (select count(*) from (select b, c from gs where gs.a = x.a group by grouping sets ((b), (c))) y) from generate_series(1, 3) x(a);
set enable_sort = off;
select g, count(*), sum(n), sum(s) from (select grouping(b, c) g, count(*) n, sum(v) s from gs group by grouping sets ((b), (c), (b, c))) x group by g order by g;
reset enable_sort;
reset work_mem;

-- xid, cid, aclitem: equality and a hash, no order.
create table ho (x xid, y xid, k int, ac aclitem);
insert into ho select (i % 5)::text::xid, (i % 3)::text::xid, i % 4, case when i % 2 = 0 then 'postgres=r/postgres' else 'postgres=w/postgres' end::aclitem
  from generate_series(1, 60) i;
insert into ho values (null, null, null, null);
analyze ho;
select x::text, count(*) from ho group by x order by x::text;
select x::text, count(*), grouping(x) from ho group by grouping sets ((x), ()) order by x::text, 3;
explain (costs off) select x, count(*) from ho group by grouping sets ((x), ());
explain (costs off) select x, count(*) from ho group by grouping sets (x);
explain (costs off) select x, y, count(*) from ho group by grouping sets (x, y);
select x::text, y::text, count(*), grouping(x, y) g from ho group by cube (x, y) order by g, x::text, y::text;
explain (costs off) select x, y, count(*) from ho group by cube (x, y);
select x::text, k, count(*), grouping(x, k) g from ho group by rollup (x, k) order by g, x::text, k;
explain (costs off) select x, k, count(*) from ho group by rollup (x, k);
select k, x::text, count(*), grouping(x, k) g from ho group by grouping sets ((k), (x), (k, x), ()) order by g, x::text, k;
explain (costs off) select k, x, count(*) from ho group by grouping sets ((k), (x), (k, x), ());
select ac::text, k, sum(k) from ho group by grouping sets ((ac), (k)) order by 1, 2;
explain (costs off) select ac, k, sum(k) from ho group by grouping sets ((ac), (k));
set enable_hashagg = off;
select x::text, count(*), grouping(x) from ho group by grouping sets ((x), ()) order by x::text, 3;
explain (costs off) select x, k, count(*) from ho group by grouping sets (x, k);
reset enable_hashagg;
-- A type that sorts but does not hash beside one that hashes but does not sort.
select count(*) from ho, (values ('101'::bit(3)), ('110')) b(b) group by grouping sets ((x), (b)) order by 1;
explain (costs off) select count(*) from ho, (values ('101'::bit(3)), ('110')) b(b) group by grouping sets ((x), (b));
select count(*) from ho, (values ('101'::bit(3)), ('110')) b(b) group by grouping sets ((x, b));
select count(*) from ho, (values ('101'::bit(3)), ('110')) b(b) group by x, b;
select array_agg(k order by k) from ho group by grouping sets ((x), (k));
select b, count(*) from ho, (values ('101'::bit(3)), ('110')) b(b) group by rollup (b) order by b;
explain (costs off) select b, count(*) from ho, (values ('101'::bit(3)), ('110')) b(b) group by rollup (b);
select count(*) from (select distinct x from ho group by grouping sets (x, y)) d;
drop table gs, ho;
