-- Sub-queries, functions and VALUES in FROM that refer to what stands left of them.
create table la(a int, b text);
create table lb(a int, c name);
create table lc(a int);
insert into la values (1, 'one'), (2, 'two'), (3, 'three');
insert into lb values (1, 'x'), (2, 'y'), (4, 'z');
insert into lc values (1), (3);
select la.a, o.n from la cross join lb cross join lateral (select lb.c || 'x' || la.a offset 0) o(n) order by 1, 2;
select o.n from la join lb on la.a = lb.a cross join lateral (select lb.c) as o(n) left join lc on lc.a = la.a order by 1;
select la.a, o.n, lc.a from la join lb on la.a = lb.a cross join lateral (select upper(lb.c)) as o(n) left join lc on lc.a = la.a where o.n is not null order by 1;
select la.b, s.x from la left join lateral (select max(lb.a) + la.a as x from lb where lb.a >= la.a) s on true order by la.a;
select la.b, s.* from la, lateral (values (la.a, la.b), (la.a * 10, 'ten')) s(v, w) order by v, w;
select la.a, g from la, generate_series(1, la.a) g order by 1, 2;
select la.a, o.n, g from la join lb using (a) cross join lateral (select la.b || lb.c) o(n) left join lateral generate_series(1, la.a) g on g > 1 order by 1, 2, 3;
select la.a, p.n from la join lb on la.a = lb.a, lateral (select lb.c, q.m from (select la.a + 1 offset 0) q(m)) p(c, n) order by 1;
select o.n, count(lc.a) from la join lb on la.a = lb.a cross join lateral (select lb.c) o(n) left join lc on lc.a = la.a group by 1 order by 1;
select * from la, (select la.a) s;
select * from la right join lateral (select la.a) s on true;
drop table la, lb, lc;
