-- VACUUM FULL, CLUSTER, COPY with files, programs and WHERE
create table m (a int primary key, b text, c int generated always as (a * 2) stored);
create index m_b on m (b desc);
insert into m select i, 'r' || (i * 7919 % 1000) from generate_series(1, 1000) i;
delete from m where a % 3 = 0;
alter table m drop column c;
alter table m add column d int default 5;
vacuum full m;
select count(*), sum(a), sum(d) from m;
select a from m where b = 'r919';
vacuum (full, analyze, verbose off) m;
vacuum (full, disable_page_skipping) m;
begin;
vacuum full m;
rollback;
cluster m;
cluster m using nope;
cluster m using m_b;
select a, b from m limit 5;
select indexrelid::regclass, indisclustered from pg_index where indrelid = 'm'::regclass order by 1;
cluster m using m_pkey;
select a, b from m limit 3;
cluster m;
cluster (verbose off) m;
cluster;
create view mv as select 1 as a;
cluster mv using m_b;
create index m_part on m (a) where a > 5;
cluster m using m_part;
begin;
cluster;
rollback;
begin;
cluster m using m_b;
rollback;
select a from m limit 2;
create table other (a int primary key);
cluster m using other_pkey;
-- COPY FROM WHERE
copy other from stdin where a > 2;
1
2
3
4
\.
select * from other order by 1;
copy other from stdin where a;
copy other from stdin where nope > 1;
copy other from stdin where sum(a) > 1;
copy other to stdout where a > 1;
copy m (a, b) from stdin where a > 2000 and b <> 'x';
2001	x
2002	y
1	y
\.
select * from m where a > 2000;
-- files and programs
copy (select i, 'x' || i from generate_series(1, 5) i) to '/tmp/objects_copy_test.txt';
create table cf (a int, b text);
copy cf from '/tmp/objects_copy_test.txt';
select * from cf order by a;
copy cf to '/tmp/objects_copy_test.csv' with (format csv, header);
truncate cf;
copy cf from '/tmp/objects_copy_test.csv' with (format csv, header) where a < 4;
select * from cf order by a;
copy cf from '/tmp/nosuch_objects_file';
copy cf from '/tmp';
copy cf to 'relative.txt';
copy cf to '/nosuchdir/x';
copy cf from program 'printf "7\tseven\n8\teight\n"';
select * from cf where a > 5 order by a;
copy cf to program 'cat > /tmp/objects_copy_test.txt';
copy cf from program 'exit 3';
copy cf from program 'rm -f /tmp/objects_copy_test.txt /tmp/objects_copy_test.csv';
create role cp_r;
grant all on cf to cp_r;
set role cp_r;
copy cf from '/tmp/x';
copy cf to '/tmp/x';
copy cf to program 'cat';
reset role;
grant pg_read_server_files to cp_r;
set role cp_r;
copy cf from '/tmp/nosuch_objects_file';
reset role;
drop owned by cp_r;
drop role cp_r;
drop table m, other, cf;
drop view mv;
-- options and their errors
create table v (a int primary key, b text);
insert into v select i, repeat('x', i) from generate_series(1, 100) i;
delete from v where a % 2 = 0;
vacuum (parallel) v;
vacuum (parallel -1) v;
vacuum (parallel 2000) v;
vacuum (parallel 2, full) v;
vacuum (process_toast false, full) v;
vacuum (index_cleanup foo) v;
vacuum (index_cleanup off, truncate off, parallel 2) v;
vacuum (index_cleanup on, truncate on, process_toast off, disable_page_skipping, skip_locked) v;
vacuum (index_cleanup auto, freeze, analyze) v;
vacuum (verbose foo) v;
vacuum (foo) v;
analyze (foo) v;
cluster (foo) v;
reindex (foo) table v;
reindex (tablespace x) table v;
reindex (verbose off) table v;
reindex (concurrently off) index v_pkey;
alter table v cluster on v_pkey;
select indisclustered from pg_index where indrelid = 'v'::regclass;
cluster v;
alter table v set without cluster;
select indisclustered from pg_index where indrelid = 'v'::regclass;
cluster v;
alter table v cluster on nope;
select count(*), sum(length(b)) from v;
begin;
truncate v;
copy v from stdin (freeze);
1	a
\.
commit;
select * from v;
copy v from stdin (freeze);
1	a
\.
-- streams of programs
copy v from program 'kill -9 $$';
copy v from program 'nosuchcommand_objects';
copy v from program 'printf "5\tfive\nabc\tx\n"';
copy (select 1) to program 'false';
copy (select repeat('x', 1000) from generate_series(1, 1000)) to program 'head -c 1 > /dev/null; exit 2';
copy (select repeat('x', 1000) from generate_series(1, 1000)) to program 'head -c 1 > /dev/null';
copy (select 'ä', 1 union all select 'ö', 2) to '/tmp/objects_copy_test.l1' (encoding 'latin1');
create table l (a text, b int);
copy l from '/tmp/objects_copy_test.l1';
copy l from '/tmp/objects_copy_test.l1' (encoding 'latin1');
select * from l order by b;
copy l to '/tmp/objects_copy_test.bin' (format binary);
truncate l;
copy l from '/tmp/objects_copy_test.bin' (format binary) where b > 1;
select * from l;
copy l from '/tmp/objects_copy_test.l1' (format binary);
copy l from program 'rm -f /tmp/objects_copy_test.l1 /tmp/objects_copy_test.bin';
drop table v, l;
