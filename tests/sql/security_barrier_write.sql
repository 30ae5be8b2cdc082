-- Views with security_barrier that are written through: the view's condition comes first.
create table sbw (id int primary key, owner text, v text);
insert into sbw select i, case when i % 2 = 0 then 'me' else 'other' end, case when i % 2 = 0 then i::text else 'secret ' || i end
  from generate_series(1, 10) i;
create function dear(text) returns boolean language sql immutable cost 100000 as 'select $1 = ''me'' or length($1) > 1000';
create view sbv with (security_barrier) as select * from sbw where dear(owner);
-- What the hidden rows have would be an error.
update sbv set v = '1' || v where v::int > 4;
select * from sbw order by id;
update sbv set v = v || '0' where 100 / v::int > 8 returning id, v;
delete from sbv where v::int = 1100 or 10 / (id - 1) > 8 returning *;
update sbv set v = 'x' where id = 3;
update sbv set v = '7' where id = 4 and v is not null returning *;
update sbv set v = '8' where id in (4, 5, 6) returning *;
delete from sbv where owner = 'other';
update sbv set v = o.v from sbw o where o.id = sbv.id + 1 and sbv.v::int = 8 and substr(o.v, 1, 6) = 'secret' returning sbv.id, sbv.v;
update sbv set v = 9 where exists (select 1 from sbw x where x.id = sbv.id and x.id = 4);
select * from sbw order by id;
update sbw set v = '66' where id = 6;
-- Views over views; the barrier may be either.
create view sbv_over as select * from sbv where id > 5;
update sbv_over set v = '12' where v::int > 0 returning id, v;
create view plain_in as select * from sbw where owner = 'me';
create view sbv_out with (security_barrier = true) as select * from plain_in where id > 5;
update sbv_out set v = '13' where v::int > 0 and dear(owner) returning id, v;
delete from sbv_out where v::int = 13 and id > 6 returning id;
-- Nothing but leakproof conditions is merged as it is.
explain (costs off) update sbv set v = 'q' where id = 4;
explain (costs off) delete from sbv where owner = 'me' and id = 4;
-- Reading, inserting, no condition at all.
insert into sbv values (20, 'other', 'z') returning *;
insert into sbv values (20, 'me', '1') on conflict (id) do update set v = excluded.v;
update sbv set v = '5' returning id, v;
delete from sbv;
select * from sbw order by id;
alter view sbv set (security_barrier = false);
insert into sbv values (30, 'me', '1');
update sbv set v = v || '1' where id = 30 returning *;
prepare p(int) as update sbv set v = 'p' where id = $1 returning *;
execute p(30);
alter view sbv set (security_barrier);
insert into sbw values (31, 'other', 'x31'), (32, 'me', '32');
prepare q(int) as update sbv set v = '33' where v::int = $1 returning *;
update sbw set v = '32' where owner = 'me';
execute q(32);
drop table sbw cascade;
drop function dear;
