-- What the planner infers: restrictions from OR join clauses, GROUP BY columns that a key determines, foreign keys in join
-- estimates, caches of inner results; and numerics calculated by columns.
create table nat (id int primary key, name char(12) not null, reg int not null);
insert into nat select i, 'nation ' || i, i % 5 from generate_series(1, 25) i;
create table cust (id int primary key, name text not null, nat int not null references nat, bal numeric(15,2) not null, note text);
insert into cust select i, 'customer ' || i, i % 25 + 1, (i * 7919 % 1000000) / 100.0, repeat('n', i % 20) from generate_series(1, 5000) i;
create table ord (id int primary key, cust int not null references cust, total numeric(15,2) not null, disc numeric(15,2) not null, day date not null, kind text);
insert into ord select i, i * 31 % 5000 + 1, (i * 104729 % 10000000) / 100.0, (i % 11) / 100.0, date '2020-01-01' + i % 700, 'k' || i % 7 from generate_series(1, 20000) i;
create index ord_cust on ord (cust);
create table pair (a int, b int, primary key (a, b));
insert into pair select i, i % 100 from generate_series(1, 10000) i;
create table pairref (a int, b int, v int, foreign key (a, b) references pair);
insert into pairref select i % 10000 + 1, (i % 10000 + 1) % 100, i from generate_series(1, 20000) i;
vacuum analyze nat, cust, ord, pair, pairref;

-- Restrictions from OR join clauses.
explain (costs off) select * from cust c join nat n on c.nat = n.id
where (n.name = 'nation 3' and c.bal > 9000) or (n.name = 'nation 4' and c.bal < 100);
select count(*) from cust c join nat n on c.nat = n.id
where (n.name = 'nation 3' and c.bal > 9000) or (n.name = 'nation 4' and c.bal < 100);
explain (costs off) select * from nat a, nat b where (a.name = 'nation 1' and b.name = 'nation 2') or (a.name = 'nation 2' and b.name = 'nation 1');
select a.id, b.id from nat a, nat b where (a.name = 'nation 1' and b.name = 'nation 2') or (a.name = 'nation 2' and b.name = 'nation 1') order by 1;
-- One arm says nothing about a side.
explain (costs off) select * from nat a, nat b where (a.name = 'nation 1' and b.name = 'nation 2') or a.id = 7;
-- The nullable side of an outer join.
explain (costs off) select * from nat a left join nat b on a.id = b.reg where (a.name = 'nation 1' and b.name = 'nation 2') or (a.name = 'nation 2' and b.id is null);
-- Volatile conditions stay where they are.
explain (costs off) select * from nat a, nat b where (a.id = 1 and random() < 2 and b.id = 2) or (a.id = 2 and b.id = 1);

-- GROUP BY columns that the primary key determines.
explain (costs off) select c.id, c.name, c.bal, count(*) from cust c join ord o on o.cust = c.id group by c.id, c.name, c.bal;
explain (costs off) select c.name, c.id, n.name, sum(o.total) from cust c join ord o on o.cust = c.id join nat n on n.id = c.nat
group by c.name, c.note, c.id, n.name;
select c.name, c.id, c.note, n.name, sum(o.total) from cust c join ord o on o.cust = c.id join nat n on n.id = c.nat
where c.id between 10 and 14 group by c.name, c.note, c.id, n.name order by c.id;
explain (costs off) select a, b, count(*) from pair group by a, b;
explain (costs off) select c.name, c.bal, count(*) from cust c group by c.name, c.bal;
explain (costs off) select id, name, count(*) from nat group by grouping sets ((id, name), (id));

-- Foreign keys.
explain (costs off) select * from pairref r join pair p on p.a = r.a and p.b = r.b;
explain (costs off) select * from pairref r join pair p on p.a = r.a and p.b = r.b;
explain (costs off) select * from pairref r join pair p on p.a = r.a;
explain (costs off) select * from pairref r left join pair p on p.a = r.a and p.b = r.b where r.v < 100;
explain (costs off) select * from pairref r join pair p on p.a = r.a and p.b = r.b where p.b = 7;
explain (costs off) select * from pairref r where exists (select from pair p where p.a = r.a and p.b = r.b and p.a < 500);

-- Semi joins whose inner side is unique.
explain (costs off) select * from cust c where nat in (select id from nat where reg = 3);
explain (costs off) select * from ord o where cust in (select id from cust group by id having count(*) > 0);
explain (costs off) select * from ord o where cust in (select distinct nat from cust where bal > 9990);
explain (costs off) select * from ord o where exists (select from cust c where c.id = o.cust and c.nat = 3 and c.bal > o.total);
explain (costs off) select * from cust c where id in (select cust from ord where total < 10);
select count(*) from cust c where nat in (select id from nat where reg = 3);
select count(*) from ord o where cust in (select id from cust group by id having count(*) > 0) and o.id < 50;
select count(*) from ord o where exists (select from cust c where c.id = o.cust and c.nat = 3 and c.bal > o.total);

-- Memoize.
set enable_hashjoin = off;
set enable_mergejoin = off;
explain (costs off) select count(*) from ord o join cust c on c.id = o.cust;
select count(*), sum(c.bal) from ord o join cust c on c.id = o.cust;
explain (costs off) select count(*) from cust c join nat n on n.id = c.nat;
select count(*), max(n.name) from cust c join nat n on n.id = c.nat;
explain (costs off) select count(*) from cust c left join nat n on n.id = c.nat and n.reg = 2;
select count(n.id) from cust c left join nat n on n.id = c.nat and n.reg = 2;
explain (costs off) select count(m) from cust c, lateral (select sum(total) m from ord o where o.cust = c.nat) x;
select count(*), sum(m) from cust c, lateral (select sum(total) m from ord o where o.cust = c.nat) x;
explain (costs off) select count(*) from cust c where exists (select from nat n where n.id = c.nat and n.reg > 1);
select count(*) from cust c where exists (select from nat n where n.id = c.nat and n.reg > 1);
set enable_memoize = off;
explain (costs off) select count(*) from cust c join nat n on n.id = c.nat;
reset enable_memoize;
set work_mem = '64kB';
select count(*), sum(c.bal) from ord o join cust c on c.id = o.cust;
reset work_mem;
reset enable_hashjoin;
reset enable_mergejoin;

-- Numerics by columns: sums of products, mixed scales, values that do not fit, NULLs, CASE.
select kind, sum(total * (1 - disc)), sum(total * (1 - disc) * (1 + disc)), avg(total), avg(disc), sum(total), count(*) from ord group by kind order by kind;
select sum(total * (1 - disc)), avg(total * disc - 1), sum(-total), sum(total - disc * id) from ord;
select sum(case when kind = 'k1' then total * (1 - disc) else 0 end), sum(case when kind = 'none' then total else 0 end),
  sum(case kind when 'k2' then total end), sum(case when id > 5 then 1.5 else 2 end) from ord;
select id, total * (1 - disc) + 0.5, case when id = 2 then total * 2 * disc else id end as c from ord where id < 6 order by ord.id;
create table num (k int, v numeric, w numeric);
insert into num values (1, 1.5, 2), (1, 1.50, 3.25), (2, 1e20, 1e20), (2, 'NaN', 1), (3, null, 1), (3, 2.000, null), (4, 1e-20, 3),
  (5, 'Infinity', 1), (6, 123456789012345.678, 987654321.123456), (6, 99999999999999999, 99999999999999999), (7, -0.0, 0), (8, 0, 0.000);
select k, sum(v * w + 1), sum(v), avg(w), sum(v * w * w - v), sum(k * v + w) from num group by k order by k;
select sum(v) from num where k in (7, 8);
select sum(v), avg(v), sum(v * 1), sum(v + w - w) from num where k in (1, 4, 6);
select k, v * w + 1, v - w - 1, v * w * w from num order by k, v, w;
select sum(v * w) filter (where k < 2), sum(distinct v + 1 + 1) from num where k in (1, 3);
select sum(x), sum(x + 0), avg(x), sum(x * 2 + 1) from (values (9223372036854775807::numeric), (9223372036854775807), (9223372036854775807)) t (x);
select sum(x::numeric * 2 + 1), sum(x::numeric) from generate_series(1, 3000) x;
select sum(x), avg(x) from (select null::numeric from generate_series(1, 3)) t (x);

-- Dates against timestamps.
select count(*) filter (where day < timestamp '2020-02-01'), count(*) filter (where day < timestamp '2020-02-01 00:00:01'),
  count(*) filter (where day >= timestamp '2020-02-01 12:00'), count(*) filter (where day = timestamp '2020-02-01'),
  count(*) filter (where day <> timestamp '2020-02-01 01:00'), count(*) filter (where timestamp '2020-02-01 06:00' <= day) from ord;
select count(*) from ord where day < date '2020-01-10' + interval '1 day';
select count(*) from ord where day <= timestamp '2020-01-10 10:00' and day > timestamp '2020-01-05 10:00';
select count(*) from ord where timestamp '2020-01-10 10:00' > day and timestamp '2020-01-05 10:00' <= day;
select count(*) from ord where day > timestamp '-infinity' and day < timestamp 'infinity';
create table d (x date);
insert into d values ('-infinity'), ('infinity'), ('5000000-01-01'), ('1999-12-31'), ('2000-01-01'), (null);
select x from d where x > timestamp '1999-12-31 12:00' order by x;
select x from d where x <= timestamp '1999-12-31 12:00' order by x;
select x from d where x <> timestamp '1999-12-31 00:00' order by x;

-- Lists of expressions.
select count(*) from ord where substring(kind from 2) in ('1', '3', '5', null);
select count(*) from ord where substring(kind from 2) not in ('1', '3', '5');
select count(*) from ord where id % 10 = any (array[1, 2, 3]);

drop table pairref, pair, ord, cust, nat, num, d;
