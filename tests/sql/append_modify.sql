-- UPDATE, DELETE, MERGE, row locks, sampling and cursors on tables that others inherit from.
set enable_parallel_append = off;
create table am (id int primary key, v text, n int default 0, check (n >= 0));
create table am1 (extra int) inherits (am);
create table am2 (x text, gone int) inherits (am);
alter table am2 drop column gone;
create table am12 (y int) inherits (am1, am2);
insert into am values (1, 'one', 1), (2, 'two', 2);
insert into am1 values (11, 'eleven', 11, 110), (12, 'twelve', 12, 120);
insert into am2 values (21, 'twentyone', 21, 'x21'), (22, 'twentytwo', 22, 'x22');
insert into am12 (id, v, n, extra, x, y) values (31, 'thirtyone', 31, 310, 'x31', 3100);

explain (costs off) update am set n = n + 1;
explain (costs off) delete from am where id = 11;
explain (costs off) update am1 set v = 'q' where id > 5;
explain (costs off) update only am set n = 3;
explain (costs off, verbose) update am set n = n + 1 where id = 1 returning id, n;
explain (costs off) update am set n = 1 from am1 where am.id = am1.id;
explain (costs off) delete from am using (values (1), (11)) t(i) where id = i returning am.*;
explain (costs off, format json) delete from am1;
explain (costs off) with u as (update am set n = n + 1 returning *) select count(*) from u;
explain (costs off) update am set n = 0 where false;

update am set n = n + 100 where id in (1, 11, 21, 31) returning tableoid::regclass, id, v, n;
update am set n = -1 where id = 31;
update am set v = upper(v), n = length(v) where id > 20 returning am;
select tableoid::regclass, * from am order by id;
select * from am2 order by id;
select * from am12;
update am set n = t.n + am.n from (values (2, 1000), (12, 2000), (22, 3000)) t(i, n) where am.id = t.i returning am.id, am.n, t.n;
with u as (update am set n = n + 1 where id < 20 returning id, n) select * from u order by id;
with d as (delete from am where id = 22 returning *) select * from d;
select id, n from am order by id;
delete from am where id = 12 returning *, tableoid::regclass;
delete from only am where id = 11;
begin;
delete from am where n > 5 returning id;
select * from am;
rollback;
update am a set n = (select count(*) from am b where b.id < a.id);
select id, n from am order by id;
update am set (v, n) = (select 'sub' || id, id) where id > 20;
select id, v, n from am order by id;
update am set id = id + 1000 where id = 21;
select tableoid::regclass, id from am order by id;
create view vam as select id, n from am where n < 1000 with check option;
update vam set n = 5 where id = 1021;
update vam set n = 5000 where id = 1021;
update vam set n = 7;
select * from vam order by id;
delete from vam where id = 31;

-- row locks
explain (costs off) select * from am for update;
explain (costs off) select * from am1 where id = 11 for share;
explain (costs off) select * from am join am1 on am.id = am1.id for update of am;
begin;
select id from am order by id for update;
select * from am where id = 1021 for no key update;
select am.id, am1.extra from am join am1 on am.id = am1.id for update of am;
select * from (select id from am order by id for update) s where id > 5;
commit;
explain (costs off) select * from am tablesample system (100);
select count(*) from am tablesample bernoulli (100);
select count(*) from am tablesample bernoulli (0);
select count(*) from only am tablesample system (100) repeatable (3);

-- cursors
begin;
declare c cursor for select * from am order by id for update;
fetch 2 from c;
update am set v = 'current' where current of c;
fetch 1 from c;
delete from am where current of c;
select tableoid::regclass, id, v from am order by id;
declare d cursor for select * from am;
fetch 2 from d;
update am set v = 'here' where current of d returning id, v;
update am2 set v = 'not here' where current of d returning id, v;
explain (costs off) update am set v = 'here' where current of d;
rollback;

-- MERGE
create table src (id int, v text);
insert into src values (1, 'm1'), (11, 'm11'), (1021, 'm1021'), (99, 'new');
explain (costs off) merge into am t using src s on t.id = s.id
  when matched then update set v = s.v when not matched then insert (id, v) values (s.id, s.v);
merge into am t using src s on t.id = s.id
  when matched and t.id = 11 then delete
  when matched then update set v = s.v, n = t.n + 1
  when not matched then insert (id, v) values (s.id, s.v);
select tableoid::regclass, * from am order by id;
select * from am2 order by id;
merge into am t using src s on t.id = s.id when matched then do nothing;
truncate only am;
select tableoid::regclass, id from am order by id;
truncate am;
select count(*) from am;
