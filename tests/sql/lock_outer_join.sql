-- Row locks and outer joins: what a join makes up cannot be locked.
create table lo(a int);
create table lp(a int, b int);
insert into lo values (1), (2);
insert into lp values (1, 10);
select * from lo left join lp using (a) for update;
select * from lo left join lp using (a) for no key update of lp;
select * from lo left join lp using (a) for share of lo;
select * from lp right join lo using (a) for key share of lp;
select * from lo full join lp using (a) for share;
select * from lo left join lp using (a) where lp.b > 0 for update;
select * from lo join lp using (a) for update;
select * from lo left join (select a from lp) s using (a) for update;
select lo.a from lo where not exists (select 1 from lp where lp.a = lo.a) for update;
drop table lo, lp;
