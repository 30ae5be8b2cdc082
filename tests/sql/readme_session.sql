-- A newcomer's first session.
create table city (
    id      integer primary key,
    name    text not null unique,
    country char(2) not null default 'CH'
);
create table person (
    id      serial primary key,
    name    text not null,
    born    date,
    city_id integer references city,
    height  numeric(3,2) check (height > 0.3)
);
insert into city (id, name) values (1, 'Bern'), (2, 'Basel');
insert into city values (3, 'Paris', 'FR');
insert into person (name, born, city_id, height) values
    ('Ada', '1815-12-10', 1, 1.65),
    ('Blaise', '1623-06-19', 3, 1.72),
    ('Leonhard', '1707-04-15', 2, null),
    ('Emmy', '1882-03-23', null, 1.58)
    returning id, name;

select * from person order by id;
select p.name, c.name as city, c.country
    from person p left join city c on c.id = p.city_id
    order by p.name;
select c.country, count(*) as people, avg(p.height) as height, min(p.born) as oldest
    from person p join city c on c.id = p.city_id
    group by c.country
    having count(*) > 0
    order by c.country;
select name, extract(year from born) as year from person where born > date '1700-01-01' order by born limit 2;

\d person
\d city
\dt

explain (costs off) select * from person where id = 3;
explain (costs off) select c.name, count(*) from person p join city c on c.id = p.city_id group by c.name order by 2 desc;

-- the rules hold
insert into person (name, city_id) values ('Isaac', 99);
insert into city values (4, 'Bern');
insert into city values (4, null);
update person set height = 0.1 where name = 'Ada';
delete from city where id = 1;

-- typing errors
selec * from person;
select nam from person;
select * from persons;
select upper(1, 2);
select 'one' + 1;
select 1 / 0;

-- nothing of this stays
begin;
delete from person;
select count(*) from person;
rollback;
select count(*) from person;

begin;
insert into city values (5, 'Genf');
savepoint s;
insert into city values (5, 'Lausanne');
select * from city;
rollback to s;
insert into city values (6, 'Lausanne');
commit;
select id, name from city order by id;

with recursive t(n) as (values (1) union all select n + 1 from t where n < 5)
select n, n * n as square from t;
update person set city_id = 5 where name = 'Emmy' returning name, city_id;
drop table city;
drop table city cascade;
\d person
