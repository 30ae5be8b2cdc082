insert into t values (1, 'a')
insert into t values (1, 'a', 1, '2020-01-01', 'x', '{1}', 7)
insert into t (a, b) values (1, 'a'), (2, default)
insert into t (a, b) values (1)
insert into t (a, b) values (1, 2, 3)
insert into t (a, b) values ((1, 2))
insert into t (a, a) values (1, 2)
insert into t (nope) values (1)
insert into t (ctid) values (1)
insert into t (a) values ('x')
insert into t (a) values (true)
insert into t (b) values (1)
insert into t (d) values (1)
insert into t (a) select b from t
insert into t (a, b) select 1, 'x' union all select 2, 'y'
insert into t select * from u
insert into t default values
insert into t default values returning *
insert into t (a) values (1) returning a, b as bb, t.c
insert into t as x (a) values (1) returning x.a
insert into t as x (a) values (1) returning t.a
insert into t (a) values (1) on conflict do nothing
insert into t (a) values (1) on conflict (a) do update set b = excluded.b, c = t.c + 1 where t.a > 1 returning *
insert into t (a) values (1) on conflict do update set b = 'x'
insert into t (a) values (1) on conflict (nope) do nothing
insert into t (a) values (1) on conflict on constraint nope do nothing
insert into t (a) values (1), (2, 3)
insert into t (a) values (a)
insert into t (a) values (sum(1))
insert into nope values (1)
insert into pg_class values (1)
update t set a = 1
update t set a = a + 1, b = default where c > 1 returning a
update t set a = 'x'
update t set a = b
update t set nope = 1
update t set t.a = 1
update t x set a = x.a + u.s from u where u.a = x.a returning *
update t x set a = t.a
update t set (a, b) = (1, 'x')
update t set (a, b) = (select s, 'x' from u where u.a = t.a)
update t set (a, b) = (1, 2, 3)
update t set a = 1, a = 2
update t set f[1] = 2
update t set a = sum(a)
update t set a = 1 where a
update t set a = (select max(s) from u where u.a = t.a)
update acc set abalance = abalance + $1 where aid = $2
delete from t
delete from t where a = 1 returning *
delete from t using u where t.a = u.a returning u.s
delete from t x where t.a = 1
delete from t where count(*) = 1
with d as (delete from t returning a) select * from d
with d as (delete from t) select * from d
select * from (with d as (delete from t returning a) select * from d) x
with i as (insert into t (a) values (1) returning a) update u set s = i.a from i where u.a = i.a
insert into acc values (1, 2, 3, '')
insert into t (c) values (1.234)
update t set e = 'abc', d = now()
select a from t where current_date = now()
update t set ( a , b ) = ( select true , 'x' from u where u . a = t . a )
update t x set a = x . a + u . s from u , lower(b) where u . a = x . a returning *
update t set ( a , b ) = ( 1 , x , 3 )
values (generate_series(1,2))
insert into t (a) values (generate_series(1,2))
