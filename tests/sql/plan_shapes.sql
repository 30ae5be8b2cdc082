-- Sub-query scans that do nothing are left out, merge joins run in one direction, and EXPLAIN (VERBOSE) lists a table's columns
-- wherever the node above takes its input's columns by what they are.
create table maker (id int primary key, name varchar(25), land int);
create table item (id int primary key, maker int, kind char(10), price numeric(8, 2), made date);
create index item_maker on item (maker);
insert into maker select i, 'maker ' || i, i % 7 from generate_series(1, 60) i;
insert into item select i, i % 60 + 1, 'kind ' || i % 5, i % 97, date '2020-01-01' + i % 400 from generate_series(1, 3000) i;
create table land (id int primary key, name char(12));
insert into land select i, 'land ' || i from generate_series(0, 24) i;
analyze maker; analyze item; analyze land;

explain (costs off) select n, count(*) from (select maker, count(*) as n from item group by 1) s group by n;
explain (costs off) select s.n, m.name from (select maker, count(*) as n from item where kind = 'kind 3' group by 1) s join maker m on m.id = s.maker;
explain (costs off) with r as (select maker, max(made) last from item where price = 3 group by maker)
  select m.name, r.last from r join maker m on m.id = r.maker where m.land = 2;
explain (costs off) select s.id, m.name from (select id, maker from item where kind = 'kind 1' order by made desc limit 10) s
  left join maker m on m.id = s.maker order by s.id;
explain (costs off) select * from (select maker, sum(price) total from item group by maker) s where total > 100;
explain (costs off) select name, n from maker m, lateral (select count(*) n from item i where i.maker = m.id) c where m.id < 4;
explain (costs off) select count(*) from (select distinct kind from item) k;
explain (costs off) select k from (select kind, row_number() over (order by kind) k from item) w where k % 2 = 0;

explain (verbose, costs off) select count(*) from item where price < 10;
explain (verbose, costs off) select count(*) from item where id < 10;
explain (verbose, costs off) select m.name, l.name from maker m join land l on l.id = m.land where m.id < 10;
explain (verbose, costs off) select * from maker m join land l on l.id = m.land where m.id < 30 order by m.name;
explain (verbose, costs off) select name, generate_series(1, 2) from maker;
explain (verbose, costs off) select name || 'x', count(*) from maker group by 1;
explain (verbose, costs off) select kind, sum(price + 1) from item group by 1 order by 1;
explain (verbose, costs off) select x, count(*) from generate_series(1, 10) with ordinality g (x, o) group by x;
explain (verbose, costs off) with m as materialized (select * from land) select a.name, b.id from m a, m b where a.id = b.id;
explain (verbose, costs off) select v.column1, count(*) from (values (1, 2), (2, 3)) v group by 1;
explain (verbose, costs off) select distinct kind from item;
explain (verbose, costs off) select kind, row_number() over (order by kind) from item;
explain (verbose, costs off) select name from maker where land in (select id from land where name like 'land 1%');
alter table land drop column name;
explain (verbose, costs off) select m.name, l.id from maker m join land l on l.id = m.land where m.id < 10;

-- Widths of set operations come from types, constants in arrays are cast when the statement is planned.
explain select id, name from maker union select land, name from maker;
explain select id, name from maker where id < 5 union all select land, name from maker union select 1, 'a'::varchar(25);
explain select id, name from maker except select id, 'x' from maker;
explain select id, name from maker intersect all select id, name from maker where land = 3;
explain (costs off) select * from maker where name in ('a', 'b');
explain (costs off) select * from maker where name <> all (array['a', 'b']::varchar[]);
select '{1,2,NULL}'::int[]::bigint[], '[2:3]={a,b}'::varchar[]::text[], '{{1,2},{3,4}}'::int[]::text[], '{}'::int[]::text[];
explain (costs off) select * from maker where id = any ('{1,x}'::text[]::int[]);
explain (costs off) select * from maker where id = (select max(i.maker) from item i, maker m where m.id = i.maker and m.land = 3);

-- EXISTS that depends on the outer row is looked up in a hash table where that is cheaper.
explain (costs off) select m.id, exists (select 1 from item i where i.maker = m.id and i.price = 3) from maker m;
explain (costs off) select m.id, exists (select 1 from item i where m.id = i.maker) from maker m where m.id = 3;
explain (costs off) select m.id from maker m where exists (select 1 from item i where i.maker = m.id and i.price = 3) or m.id < 5;
explain (costs off) select m.id from maker m where m.id < 5 or exists (select 1 from item i where i.maker + 1 = m.id);
explain (costs off) select m.id from maker m where m.id < 5 or exists (select 1 from item i where i.maker = m.id and i.id > m.land);
select count(*) from maker m where m.id < 5 or exists (select 1 from item i where i.maker = m.id + 50 and i.price = 3);
select x, exists (select from item i where i.maker = y), not exists (select from item i where i.maker = y and i.id = x)
  from (values (1, null::int), (59, 60), (60, 60), (5, 500)) v (x, y);

-- A test that stands in several nodes of a plan takes one form in all of them.
explain (costs off) select exists (select from item i where i.maker = m.id and i.price = 3) e, count(*) from maker m group by 1 order by 1;
select exists (select from item i where i.maker = m.id and i.price = 3) e, count(*) from maker m group by 1 order by 1;
select id, exists (select from item i where i.maker = m.id and i.price = 3) e from maker m order by e desc, id limit 3;
select e, count(*) from (select exists (select from item i where i.maker = m.id and i.price = 3) e from maker m order by 1 limit 40) s group by 1 order by 1;
select m.id from maker m join (values (true, 1)) v (b, n) on exists (select from item i where i.maker = m.id and i.price = 3) = v.b order by 1 limit 3;
select m.id, row_number() over (order by exists (select from item i where i.maker = m.id and i.price = 3), m.id) from maker m order by 2 limit 2;
select distinct exists (select from item i where i.maker = m.id and i.price = 3) from maker m order by 1;
select m.id from maker m order by exists (select from item i where i.maker = m.id and i.price = 3) desc, m.id offset 58;
update maker m set land = m.land where exists (select from item i where i.maker = m.id and i.price = 3) or m.id = 1
  returning id, exists (select from item i where i.maker = m.id and i.price = 3);

-- What an outer join's own condition says of the inner side does not hold above the join.
select m.id, l.name from maker m left join item i on i.id = m.id and i.kind = 'kind 3' left join lateral (values (i.kind)) l (name) on true
  where m.id < 8 order by m.id % 2, i.kind, m.id;
explain (costs off) select * from maker m left join item i on i.maker = m.id and i.kind = 'kind 3' order by m.land, i.kind;
explain (costs off) select m.* from maker m left join item i on i.maker = m.id where i.maker is null;
explain (costs off) select * from maker where id between (select 1) and (select 2) order by land;
explain (costs off) select * from item where maker = 3 and kind like 'kind%';
explain (costs off) select * from item i where maker = 3 or maker = 5;
explain (costs off) select m.name, i.kind from maker m join item i on m.id = i.maker where m.id < 3;

set enable_hashjoin = off; set enable_nestloop = off; set enable_sort = off;
explain (costs off) select * from maker m, item i where m.id = i.maker;
explain (costs off) select * from maker m, item i where m.id = i.maker order by m.id desc;
explain select * from maker m, maker n where m.id = n.id;
explain select * from maker m, maker n where m.id = n.id order by m.id desc;
explain select * from maker m, land l where m.id = l.id;
reset all;
drop table maker, item, land;

-- VALUES of one row needs no scan.
explain (costs off) values (1, 'a');
explain (costs off) select * from (values (1, 'a')) v (x, y) where x = 1;
explain (costs off) select v.x + g from (values (3)) v (x), generate_series(1, 2) g where g > 1 and v.x < 5;
explain (costs off) select * from (values (random())) v (x);
explain (costs off) values (1, 'a') union all select 2, 'b';
values (1, 'a'), (2, 'b') order by 1 desc;
values (1, 'a') order by 2 limit 1;
select v, v.x, (select w.y || v.x from (values ('in ')) w (y)) from (values (1, 2)) v (x, y);
select (select x + y from (values (a.i)) v (y)) from generate_series(1, 2) a (i), (values (10)) w (x);
