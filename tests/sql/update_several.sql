-- A sub-select that several columns are assigned from runs once for each row, or once for the statement.
create table pair (id int primary key, a bigint, b text, c int default 7);
insert into pair select i, 0, 'x' from generate_series(1, 5) i;
create sequence ticks;

update pair set (a, b) = (select nextval('ticks'), 'same ' || nextval('ticks')) where id < 3;
select * from pair order by id;
select last_value from ticks;
update pair set (a, b) = (select nextval('ticks'), 'row ' || pair.id || ' ' || nextval('ticks'));
select * from pair order by id;
select last_value from ticks;
update pair set (b, a, c) = (select p.b || '!', p.a + nextval('ticks'), p.c + pair.c from pair p where p.id = pair.id + 1) where id <> 2;
select * from pair order by id;
select last_value from ticks;

-- No row gives nulls, two rows are an error.
update pair set (a, b) = (select p.id, p.b from pair p where p.id = pair.id + 100) where id = 3 returning *;
update pair set (a, b) = (select p.id, p.b from pair p where p.id >= pair.id);
update pair set (a, b) = (select p.id, p.b from pair p);
update pair set (a, b) = (select 1);
update pair set (a, b) = (select 1, 2, 3);
update pair set (a, b) = (select 1, 'z' where false) where id = 1 returning a, b;

-- Types are those of the columns; orders, limits and set operations of the sub-select are its own.
update pair set (a, c) = (select '12', 3.7) where id = 1 returning *;
update pair set (a, c) = (select p.a, p.id::numeric + 0.5 from pair p where p.id <= pair.id order by p.id desc limit 1) returning id, a, c;
update pair set (a, b) = (select 1, 'one' union all select 2, 'two' order by 1 desc limit 1) where id = 4 returning *;
update pair set (a, b) = (select x, 'v' || y from (values (1, 2), (3, 4)) v (x, y) where x = pair.id) where id in (1, 3) returning *;
update pair set (a, b) = (select id, 'again'), (c) = row (9) where id = 5 returning *;
update pair p set (a, b) = (select q.a, q.b from pair q where q.id = p.c), c = default where p.id in (2, 5) returning *;
update pair set (a, b) = (select count(*), string_agg(p.b, ',' order by p.id) from pair p where p.id < pair.id) returning id, a, b;
with w as (select 4 as k) update pair set (a, b) = (select k, 'w' || k from w) from w x where id = x.k returning pair.*;
update pair set (a, b) = (select p.id, p.b from pair p where p.id = pair.id), (c, id) = (select pair.id * 10, pair.id + 10) where id < 3 returning *;

-- In ON CONFLICT, MERGE, views, functions and prepared statements.
insert into pair values (3, 1, 'n') on conflict (id) do update set (a, b) = (select excluded.a + 100, pair.b || ' kept') returning *;
merge into pair p using (values (3, 'm'), (77, 'new')) s (k, t) on p.id = s.k
  when matched then update set (a, b) = (select s.k * 2, s.t || p.b)
  when not matched then insert (id, b) values (k, t);
select * from pair order by id;
create view vpair as select id, b, a from pair where id < 50;
update vpair set (b, a) = (select 'by view', 5) where id = 4 returning *;
update vpair set (b, a) = (select p.b || ' twice', p.a + vpair.a from pair p where p.id = vpair.id) where id = 4 returning *;
create function set_pair(i int) returns setof pair language sql as
  $$ update pair set (a, b) = (select i, 'f' || pair.id) where id = i returning * $$;
select * from set_pair(5);
prepare up(int, text) as update pair set (a, b) = (select $1, $2 || pair.b) where id = $1 returning *;
execute up(4, 'p ');
execute up(5, 'q ');

-- Plans.
explain (costs off) update pair set (a, b) = (select 1, 'x');
explain (costs off) update pair set (a, b) = (select p.a, p.b from pair p where p.id = pair.id);
explain (costs off) update pair set (a, b) = (select p.a, p.b from pair p where p.id = pair.id), (c) = (select 3);
explain (costs off) update pair set (a, b, c) = (select max(p.a), min(p.b), pair.id from pair p);
drop function set_pair(int);
drop view vpair;
drop table pair;
drop sequence ticks;
