-- Objects by address and back: pg_identify_object, pg_identify_object_as_address, pg_get_object_address, pg_describe_object.
create schema oa;
set search_path = oa;
create type comp as (x int, y text);
create type mood as enum ('a', 'b');
create domain dom as int constraint positive check (value > 0);
create table "T one"(id int primary key, "select" text default 'x', c comp, constraint ck check (id > 0));
create index ix on "T one"("select");
create view vw as select id from "T one";
create materialized view mv as select 1 as a;
create sequence sq;
create function fn(a int, b text, c "T one", variadic d int[]) returns int language sql as 'select 1';
create procedure pr(a int) language sql as 'select 1';
create aggregate ag(int) (sfunc = int4pl, stype = int);
create operator === (leftarg = int, rightarg = int, function = int4eq);
create operator !!! (rightarg = int, function = int4abs);
create cast (comp as text) with inout;
create collation co (provider = icu, locale = 'de');
create statistics st on id, "select" from "T one";
select lo_create(424242);

-- what things are called
create view named as
 select 'pg_class'::regclass as classid, oid as objid, 0 as sub from pg_class where relnamespace = 'oa'::regnamespace and relkind <> 't'
 union all select 'pg_class'::regclass, '"T one"'::regclass, n from generate_series(1, 3) n
 union all select 'pg_class'::regclass, '"T one"'::regclass, -1
 union all select 'pg_class'::regclass, '"T one"'::regclass, 99
 union all select 'pg_proc'::regclass, oid, 0 from pg_proc where pronamespace = 'oa'::regnamespace
 union all select 'pg_type'::regclass, oid, 0 from pg_type where typnamespace = 'oa'::regnamespace and typname !~ 'named'
 union all select 'pg_constraint'::regclass, oid, 0 from pg_constraint where connamespace = 'oa'::regnamespace
 union all select 'pg_operator'::regclass, oid, 0 from pg_operator where oprnamespace = 'oa'::regnamespace
 union all select 'pg_attrdef'::regclass, oid, 0 from pg_attrdef where adrelid = '"T one"'::regclass
 union all select 'pg_rewrite'::regclass, oid, 0 from pg_rewrite where ev_class = 'vw'::regclass
 union all select 'pg_cast'::regclass, oid, 0 from pg_cast where castsource = 'comp'::regtype
 union all select 'pg_collation'::regclass, oid, 0 from pg_collation where collname in ('co', 'C')
 union all select 'pg_statistic_ext'::regclass, oid, 0 from pg_statistic_ext
 union all select 'pg_namespace'::regclass, oid, 0 from pg_namespace where nspname in ('oa', 'pg_catalog')
 union all select 'pg_largeobject'::regclass, 424242, 0
 union all select 'pg_authid'::regclass, 10, 0
 union all select 'pg_tablespace'::regclass, oid, 0 from pg_tablespace
 union all select 'pg_database'::regclass, 1, 0
 union all select 'pg_am'::regclass, oid, 0 from pg_am
 union all select 'pg_language'::regclass, oid, 0 from pg_language where oid < 12000
 union all select 'pg_opclass'::regclass, oid, 0 from pg_opclass where opcname in ('int4_ops', 'text_pattern_ops')
 union all select 'pg_opfamily'::regclass, oid, 0 from pg_opfamily where opfname = 'integer_ops'
 union all select 'pg_amop'::regclass, oid, 0 from pg_amop where amopfamily = 1976 and amopstrategy = 1
 union all select 'pg_amproc'::regclass, oid, 0 from pg_amproc where amprocfamily = 1976 and amprocnum < 3
 union all select 'pg_conversion'::regclass, oid, 0 from pg_conversion where conname ~ 'utf8_to_iso_8859_1'
 union all select 'pg_ts_parser'::regclass, oid, 0 from pg_ts_parser
 union all select 'pg_ts_dict'::regclass, oid, 0 from pg_ts_dict where dictname ~ '^s'
 union all select 'pg_ts_config'::regclass, oid, 0 from pg_ts_config where cfgname ~ '^s'
 union all select 'pg_ts_template'::regclass, oid, 0 from pg_ts_template
 union all select c::regclass, 99999, 0 from unnest('{pg_class,pg_proc,pg_type,pg_constraint,pg_operator,pg_am,pg_language,pg_amop,pg_policy,pg_ts_dict}'::text[]) c;
select classid, (pg_identify_object(classid, objid, sub)).* from named order by 1, 2, 5;
select classid, i.* from named, pg_identify_object_as_address(classid, objid, sub) i order by 1, 2, 3, 4;
select classid, pg_describe_object(classid, objid, sub) from named order by 1, 2;
-- there and back again
select count(*), count(*) filter (where (g.classid, g.objid, g.objsubid) = (n.classid, n.objid, n.sub)) as same
from named n, pg_identify_object_as_address(n.classid, n.objid, n.sub) a, pg_get_object_address(a.type, a.object_names, a.object_args) g
where a.object_names is not null and a.type not in ('materialized view column', 'view column', 'composite type') and n.sub >= 0;
-- all built-in objects
select 'functions', count(*), md5(string_agg((pg_identify_object('pg_proc'::regclass, oid, 0)).identity, ' ' order by oid)) from pg_proc where oid < 12000;
select 'types', count(*), md5(string_agg((pg_identify_object('pg_type'::regclass, oid, 0)).identity, ' ' order by oid)) from pg_type where oid < 12000;
select 'operators', count(*), md5(string_agg((pg_identify_object('pg_operator'::regclass, oid, 0)).identity, ' ' order by oid)) from pg_operator where oid < 12000;
select 'casts', count(*), md5(string_agg((pg_identify_object('pg_cast'::regclass, oid, 0)).identity, ' ' order by oid)) from pg_cast where oid < 12000;
select 'amops', count(*), md5(string_agg((pg_identify_object('pg_amop'::regclass, oid, 0)).identity, ' ' order by oid)) from pg_amop where oid < 12000;
select 'amprocs', count(*), md5(string_agg((pg_identify_object('pg_amproc'::regclass, oid, 0)).identity, ' ' order by oid)) from pg_amproc where oid < 12000;
select 'opclasses', count(*), md5(string_agg((pg_identify_object('pg_opclass'::regclass, oid, 0)).identity, ' ' order by oid)) from pg_opclass where oid < 12000;
select 'described amops', count(*), md5(string_agg(pg_describe_object('pg_amop'::regclass, oid, 0), ' ' order by oid)) from pg_amop where oid < 12000;

-- addresses
select * from pg_get_object_address('table', '{}', '{}');
select * from pg_get_object_address('table', '{a}', '{b}');
select * from pg_get_object_address('table', '{a,b,c,d}', '{}');
select * from pg_get_object_address('table', '{pg_class}', '{}');
select * from pg_get_object_address('table', '{oa,nope}', '{}');
select * from pg_get_object_address('table', '{nope,nope}', '{}');
select * from pg_get_object_address('table', '{vw}', '{}');
select * from pg_get_object_address('view', '{ix}', '{}');
select * from pg_get_object_address('sequence', '{vw}', '{}');
select * from pg_get_object_address('index', '{vw}', '{}');
select * from pg_get_object_address('materialized view', '{vw}', '{}');
select * from pg_get_object_address('foreign table', '{vw}', '{}');
select * from pg_get_object_address('toast table', '{vw}', '{}');
select * from pg_get_object_address('view column', '{vw,id}', '{}');
select * from pg_get_object_address('nothing', '{vw}', '{}');
select * from pg_get_object_address('table column', '{pg_class,oid}', '{}');
select * from pg_get_object_address('table column', '{pg_class}', '{}');
select * from pg_get_object_address('table column', '{pg_class,nope}', '{}');
select * from pg_get_object_address('default value', '{pg_class,oid}', '{}');
select * from pg_get_object_address('function', '{lower}', '{text}');
select * from pg_get_object_address('function', '{lower}', '{int}');
select * from pg_get_object_address('function', '{lower,null}', '{text}');
select * from pg_get_object_address('function', '{pr}', '{int}');
select * from pg_get_object_address('procedure', '{fn}', '{int,text,"\"T one\"","int[]"}');
select * from pg_get_object_address('aggregate', '{sum}', '{int}');
select * from pg_get_object_address('aggregate', '{lower}', '{text}');
select * from pg_get_object_address('type', '{int}', '{}');
select * from pg_get_object_address('type', '{int,x}', '{}');
select * from pg_get_object_address('type', '{nope}', '{}');
select * from pg_get_object_address('operator', '{=}', '{int}');
select * from pg_get_object_address('operator', '{pg_catalog,=}', '{int4,int4}');
select * from pg_get_object_address('operator', '{pg_catalog,=}', '{int,bool}');
select * from pg_get_object_address('cast', '{int}', '{text}');
select * from pg_get_object_address('cast', '{int}', '{bigint}');
select * from pg_get_object_address('cast', '{int}', '{}');
select * from pg_get_object_address('operator of access method', '{btree,integer_ops,1}', '{int4,int4}');
select * from pg_get_object_address('operator of access method', '{btree,integer_ops,99}', '{int4,int4}');
select * from pg_get_object_address('operator of access method', '{btree,integer_ops}', '{int4,int4}');
select * from pg_get_object_address('function of access method', '{btree,integer_ops,9}', '{int4,int4}');
select * from pg_get_object_address('function of access method', '{btree,integer_ops,1}', '{int4}');
select * from pg_get_object_address('operator class', '{btree,int4_ops}', '{}');
select * from pg_get_object_address('operator class', '{btree}', '{}');
select * from pg_get_object_address('operator class', '{nope,int4_ops}', '{}');
select * from pg_get_object_address('operator family', '{btree,nope}', '{}');
select * from pg_get_object_address('schema', '{pg_catalog,x}', '{}');
select * from pg_get_object_address('schema', '{nope}', '{}');
select * from pg_get_object_address('large object', '{12}', '{}');
select * from pg_get_object_address('large object', '{x}', '{}');
select * from pg_get_object_address('default acl', '{nobody}', '{r}');
select * from pg_get_object_address('default acl', '{pg_monitor}', '{r}');
select * from pg_get_object_address('default acl', '{pg_monitor}', '{x}');
select * from pg_get_object_address('default acl', '{pg_monitor,oa}', '{f}');
select * from pg_get_object_address('user mapping', '{public}', '{nosrv}');
select * from pg_get_object_address('domain constraint', '{int4}', '{c}');
select * from pg_get_object_address('domain constraint', '{dom}', '{c}');
select * from pg_get_object_address('domain constraint', '{dom}', '{}');
select * from pg_get_object_address('table constraint', '{pg_class,x}', '{}');
select * from pg_get_object_address('table constraint', '{pg_class}', '{}');
select * from pg_get_object_address('rule', '{pg_class,nope}', '{}');
select * from pg_get_object_address('trigger', '{pg_class,nope}', '{}');
select * from pg_get_object_address('policy', '{pg_class,nope}', '{}');
select * from pg_get_object_address('transform', '{int}', '{sql}');
select * from pg_get_object_address('publication', '{p}', '{}');
select * from pg_get_object_address('publication relation', '{pg_class}', '{p}');
select * from pg_get_object_address('publication namespace', '{pg_catalog}', '{p}');
select * from pg_get_object_address('parameter ACL', '{work_mem}', '{}');
select * from pg_get_object_address('subscription', '{s}', '{}');
select * from pg_get_object_address('collation', '{nope}', '{}');
select * from pg_get_object_address('conversion', '{utf8_to_iso_8859_1}', '{}');
select * from pg_get_object_address('language', '{nope}', '{}');
select * from pg_get_object_address('server', '{a}', '{}');
select * from pg_get_object_address('foreign-data wrapper', '{a}', '{}');
select * from pg_get_object_address('extension', '{a}', '{}');
select * from pg_get_object_address('event trigger', '{a}', '{}');
select * from pg_get_object_address('access method', '{gin}', '{}');
select * from pg_get_object_address('tablespace', '{pg_default}', '{}');
select * from pg_get_object_address('tablespace', '{nope}', '{}');
select * from pg_get_object_address('database', '{nope}', '{}');
select * from pg_get_object_address('role', '{pg_monitor}', '{}');
select * from pg_get_object_address('role', '{nope}', '{}');
select * from pg_get_object_address('text search parser', '{default}', '{}');
select * from pg_get_object_address('text search dictionary', '{nope}', '{}');
select * from pg_get_object_address('text search configuration', '{nope}', '{}');
select * from pg_get_object_address('statistics object', '{nope}', '{}');
select pg_get_object_address('table', '{pg_class}', '{}');
select pg_get_object_address(null, '{pg_class}', '{}');
select pg_identify_object('pg_am'::regclass, 403, 1);
select pg_identify_object(0, 403, 0);
select pg_identify_object_as_address(1, 403, 0);
select pg_describe_object('pg_am'::regclass, 403, 1);
select pg_describe_object(77, 403, 0);
select pg_describe_object(0, 0, 0);
comment on constraint positive on domain dom is 'above zero';
comment on constraint nope on domain dom is 'x';
comment on constraint nope on domain mood is 'x';
select obj_description(oid, 'pg_constraint') from pg_constraint where conname = 'positive';
select lo_unlink(424242);
set client_min_messages = warning;
drop schema oa cascade;
