-- A sequential scan goes past any number of pages without a visible row.
create table sc (a int, b text, c text);
insert into sc select i, repeat('x', 200), 'c' || i from generate_series(1, 4000) i;
begin;
delete from sc where a < 3998;
select a, c from sc where a % 2 >= 0 and length(b) = 200;
rollback;
begin;
insert into sc select i, repeat('x', 200), 'd' || i from generate_series(4001, 9000) i;
rollback;
insert into sc values (1, 'last', 'e');
select a, c from sc where b = 'last';
drop table sc;
