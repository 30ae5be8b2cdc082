-- The views of information_schema, written over the catalogs. Read by information_schema.rs: each begins with a line "== name
-- types", with one letter a column (domains.rs; "-" for another type), and " !" where not everybody may read it. $db is the database's name; $n(…) $c(…) $i(…) $y(…) $t(…) are columns that are always
-- NULL, of the types sql_identifier, character_data, cardinal_number, yes_or_no and time_stamp; $len(type, typmod), $num(type, typmod)
-- and $date(type, typmod) are the columns that describe a type.
== information_schema_catalog_name s
SELECT $db AS catalog_name
== applicable_roles ssy
SELECT pg_get_userbyid(m.member) AS grantee, r.rolname AS role_name, yn(m.admin_option) AS is_grantable
FROM (SELECT member, roleid, admin_option FROM pg_auth_members
 UNION SELECT datdba, d.oid, false FROM pg_database b, pg_authid d
 WHERE b.datname = current_database() AND d.rolname = 'pg_database_owner') m JOIN pg_authid r ON m.roleid = r.oid
WHERE pg_has_role(m.member, 'USAGE'::text)
== administrable_role_authorizations ssy
SELECT grantee, role_name, is_grantable FROM applicable_roles WHERE is_grantable = 'YES'
== enabled_roles s
SELECT a.rolname AS role_name FROM pg_authid a WHERE pg_has_role(a.oid, 'USAGE'::text)
== character_sets ssssssss
SELECT $n(character_set_catalog, character_set_schema), 'UTF8'::name AS character_set_name, 'UCS'::name AS character_repertoire, 'UTF8'::name AS form_of_use,
 $db AS default_collate_catalog, n.nspname AS default_collate_schema, c.collname AS default_collate_name
FROM pg_database d LEFT JOIN (pg_collation c JOIN pg_namespace n ON c.collnamespace = n.oid)
 ON d.datcollate = c.collcollate AND d.datctype = c.collctype
WHERE d.datname = current_database() ORDER BY char_length(c.collname::text) DESC, c.collname LIMIT 1
== check_constraint_routine_usage ssssss
SELECT DISTINCT $db AS constraint_catalog, nc.nspname AS constraint_schema, c.conname AS constraint_name, $db AS specific_catalog,
 np.nspname AS specific_schema, specific(p.proname, p.oid) AS specific_name
FROM pg_constraint c JOIN pg_namespace nc ON nc.oid = c.connamespace JOIN pg_depend d ON d.objid = c.oid
 JOIN pg_proc p ON d.refobjid = p.oid JOIN pg_namespace np ON np.oid = p.pronamespace
WHERE c.contype = 'c' AND d.classid = 'pg_constraint'::regclass AND d.refclassid = 'pg_proc'::regclass
 AND pg_has_role(p.proowner, 'USAGE'::text)
== check_constraints sssc
SELECT $db AS constraint_catalog, rs.nspname AS constraint_schema, con.conname AS constraint_name,
 substring(pg_get_constraintdef(con.oid), 7)::varchar AS check_clause
FROM pg_constraint con LEFT JOIN pg_namespace rs ON rs.oid = con.connamespace LEFT JOIN pg_class c ON c.oid = con.conrelid
 LEFT JOIN pg_type t ON t.oid = con.contypid
WHERE pg_has_role(COALESCE(c.relowner, t.typowner), 'USAGE'::text) AND con.contype = 'c'
UNION
SELECT $db, n.nspname, (n.oid::text || '_' || r.oid::text || '_' || a.attnum::text || '_not_null')::name,
 (a.attname::text || ' IS NOT NULL')::varchar
FROM pg_namespace n, pg_class r, pg_attribute a
WHERE n.oid = r.relnamespace AND r.oid = a.attrelid AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull
 AND r.relkind IN ('r', 'p') AND pg_has_role(r.relowner, 'USAGE'::text)
== collations sssc
SELECT $db AS collation_catalog, nc.nspname AS collation_schema, c.collname AS collation_name, 'NO PAD'::varchar AS pad_attribute
FROM pg_collation c, pg_namespace nc WHERE c.collnamespace = nc.oid AND c.collencoding IN (-1, 6)
== collation_character_set_applicability ssssss
SELECT $db AS collation_catalog, nc.nspname AS collation_schema, c.collname AS collation_name, $n(character_set_catalog, character_set_schema),
 'UTF8'::name AS character_set_name
FROM pg_collation c, pg_namespace nc WHERE c.collnamespace = nc.oid AND c.collencoding IN (-1, 6)
== column_column_usage sssss
SELECT DISTINCT $db AS table_catalog, n.nspname AS table_schema, c.relname AS table_name, ac.attname AS column_name, ad.attname AS dependent_column
FROM pg_namespace n, pg_class c, pg_depend d, pg_attribute ac, pg_attribute ad, pg_attrdef atd
WHERE n.oid = c.relnamespace AND c.oid = ac.attrelid AND c.oid = ad.attrelid AND ac.attnum <> ad.attnum AND ad.attrelid = atd.adrelid
 AND ad.attnum = atd.adnum AND d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.objid = atd.oid
 AND d.refobjid = ac.attrelid AND d.refobjsubid = ac.attnum AND ad.attgenerated <> '' AND pg_has_role(c.relowner, 'USAGE'::text)
== column_domain_usage sssssss
SELECT $db AS domain_catalog, nt.nspname AS domain_schema, t.typname AS domain_name, $db AS table_catalog, nc.nspname AS table_schema,
 c.relname AS table_name, a.attname AS column_name
FROM pg_type t, pg_namespace nt, pg_class c, pg_namespace nc, pg_attribute a
WHERE t.typnamespace = nt.oid AND c.relnamespace = nc.oid AND a.attrelid = c.oid AND a.atttypid = t.oid AND t.typtype = 'd'
 AND c.relkind IN ('r', 'v', 'f', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND pg_has_role(t.typowner, 'USAGE'::text)
== column_privileges sssssscy
SELECT u_grantor.rolname AS grantor, grantee.rolname AS grantee, $db AS table_catalog, nc.nspname AS table_schema, x.relname AS table_name,
 x.attname AS column_name, x.prtype::varchar AS privilege_type,
 yn(pg_has_role(x.grantee, x.relowner, 'USAGE'::text) OR x.grantable) AS is_grantable
FROM (SELECT pr_c.grantor, pr_c.grantee, a.attname, pr_c.relname, pr_c.relnamespace, pr_c.prtype, pr_c.grantable, pr_c.relowner
  FROM (SELECT c.oid, c.relname, c.relnamespace, c.relowner, e.grantor, e.grantee, e.privilege_type AS prtype, e.is_grantable AS grantable
    FROM pg_class c, LATERAL aclexplode(COALESCE(c.relacl, acldefault('r', c.relowner))) e
    WHERE c.relkind IN ('r', 'v', 'f', 'p')) pr_c, pg_attribute a
  WHERE a.attrelid = pr_c.oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION
  SELECT pr_a.grantor, pr_a.grantee, pr_a.attname, c.relname, c.relnamespace, pr_a.prtype, pr_a.grantable, c.relowner
  FROM (SELECT a.attrelid, a.attname, e.grantor, e.grantee, e.privilege_type AS prtype, e.is_grantable AS grantable
    FROM pg_attribute a JOIN pg_class cc ON a.attrelid = cc.oid, LATERAL aclexplode(COALESCE(a.attacl, acldefault('c', cc.relowner))) e
    WHERE a.attnum > 0 AND NOT a.attisdropped) pr_a, pg_class c
  WHERE pr_a.attrelid = c.oid AND c.relkind IN ('r', 'v', 'f', 'p')) x,
 pg_namespace nc, pg_authid u_grantor, (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC'::name) grantee (oid, rolname)
WHERE x.relnamespace = nc.oid AND x.grantee = grantee.oid AND x.grantor = u_grantor.oid
 AND x.prtype IN ('INSERT', 'SELECT', 'UPDATE', 'REFERENCES')
 AND (pg_has_role(u_grantor.oid, 'USAGE'::text) OR pg_has_role(grantee.oid, 'USAGE'::text) OR grantee.rolname = 'PUBLIC')
== column_udt_usage sssssss
SELECT $db AS udt_catalog, COALESCE(nbt.nspname, nt.nspname) AS udt_schema, COALESCE(bt.typname, t.typname) AS udt_name, $db AS table_catalog,
 nc.nspname AS table_schema, c.relname AS table_name, a.attname AS column_name
FROM pg_attribute a, pg_class c, pg_namespace nc,
 (pg_type t JOIN pg_namespace nt ON t.typnamespace = nt.oid)
 LEFT JOIN (pg_type bt JOIN pg_namespace nbt ON bt.typnamespace = nbt.oid) ON t.typtype = 'd' AND t.typbasetype = bt.oid
WHERE a.attrelid = c.oid AND a.atttypid = t.oid AND nc.oid = c.relnamespace AND a.attnum > 0 AND NOT a.attisdropped
 AND c.relkind IN ('r', 'v', 'f', 'p') AND pg_has_role(COALESCE(bt.typowner, t.typowner), 'USAGE'::text)
== columns ssssncycnnnnnncnsssssssssssssssnsyycccccyccy
SELECT $db AS table_catalog, nc.nspname AS table_schema, c.relname AS table_name, a.attname AS column_name, a.attnum::int4 AS ordinal_position,
 CASE WHEN a.attgenerated = '' THEN pg_get_expr(ad.adbin, ad.adrelid) END::varchar AS column_default,
 yn(NOT (a.attnotnull OR t.typtype = 'd' AND t.typnotnull)) AS is_nullable,
 CASE WHEN t.typtype = 'd' THEN dt(bt, nbt, t.typbasetype) ELSE dt(t, nt, a.atttypid) END::varchar AS data_type,
 $len(truetype(a, t), truetypmod(a, t)), $num(truetype(a, t), truetypmod(a, t)), $date(truetype(a, t), truetypmod(a, t)),
 $n(character_set_catalog, character_set_schema, character_set_name),
 CASE WHEN nco.nspname IS NOT NULL THEN current_database() END::name AS collation_catalog, nco.nspname AS collation_schema,
 co.collname AS collation_name, CASE WHEN t.typtype = 'd' THEN current_database() END::name AS domain_catalog,
 CASE WHEN t.typtype = 'd' THEN nt.nspname END AS domain_schema, CASE WHEN t.typtype = 'd' THEN t.typname END AS domain_name,
 $db AS udt_catalog, COALESCE(nbt.nspname, nt.nspname) AS udt_schema, COALESCE(bt.typname, t.typname) AS udt_name,
 $n(scope_catalog, scope_schema, scope_name), $i(maximum_cardinality), a.attnum::text::name AS dtd_identifier,
 yn(false) AS is_self_referencing, yn(a.attidentity IN ('a', 'd')) AS is_identity,
 CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END::varchar AS identity_generation,
 seq.seqstart::text::varchar AS identity_start, seq.seqincrement::text::varchar AS identity_increment,
 seq.seqmax::text::varchar AS identity_maximum, seq.seqmin::text::varchar AS identity_minimum,
 CASE WHEN seq.seqcycle THEN 'YES' ELSE 'NO' END::varchar(3) AS identity_cycle,
 CASE WHEN a.attgenerated <> '' THEN 'ALWAYS' ELSE 'NEVER' END::varchar AS is_generated,
 CASE WHEN a.attgenerated <> '' THEN pg_get_expr(ad.adbin, ad.adrelid) END::varchar AS generation_expression,
 yn(c.relkind IN ('r', 'p') OR c.relkind IN ('v', 'f') AND pg_column_is_updatable(c.oid, a.attnum, false)) AS is_updatable
FROM (pg_attribute a LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum)
 JOIN (pg_class c JOIN pg_namespace nc ON c.relnamespace = nc.oid) ON a.attrelid = c.oid
 JOIN (pg_type t JOIN pg_namespace nt ON t.typnamespace = nt.oid) ON a.atttypid = t.oid
 LEFT JOIN (pg_type bt JOIN pg_namespace nbt ON bt.typnamespace = nbt.oid) ON t.typtype = 'd' AND t.typbasetype = bt.oid
 LEFT JOIN (pg_collation co JOIN pg_namespace nco ON co.collnamespace = nco.oid)
  ON a.attcollation = co.oid AND (nco.nspname <> 'pg_catalog' OR co.collname <> 'default')
 LEFT JOIN (pg_depend dep JOIN pg_sequence seq ON dep.classid = 'pg_class'::regclass AND dep.objid = seq.seqrelid AND dep.deptype = 'i')
  ON dep.refclassid = 'pg_class'::regclass AND dep.refobjid = c.oid AND dep.refobjsubid = a.attnum
WHERE NOT pg_is_other_temp_schema(nc.oid) AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'f', 'p')
 AND (pg_has_role(c.relowner, 'USAGE'::text) OR has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'::text))
== constraint_column_usage sssssss
SELECT $db AS table_catalog, x.tblschema AS table_schema, x.tblname AS table_name, x.colname AS column_name, $db AS constraint_catalog,
 x.cstrschema AS constraint_schema, x.cstrname AS constraint_name
FROM (SELECT DISTINCT nr.nspname, r.relname, r.relowner, a.attname, nc.nspname, c.conname
  FROM pg_namespace nr, pg_class r, pg_attribute a, pg_depend d, pg_namespace nc, pg_constraint c
  WHERE nr.oid = r.relnamespace AND r.oid = a.attrelid AND d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid
   AND d.refobjsubid = a.attnum AND d.classid = 'pg_constraint'::regclass AND d.objid = c.oid AND c.connamespace = nc.oid
   AND c.contype = 'c' AND r.relkind IN ('r', 'p') AND NOT a.attisdropped
  UNION ALL
  SELECT nr.nspname, r.relname, r.relowner, a.attname, nc.nspname, c.conname
  FROM pg_namespace nr, pg_class r, pg_attribute a, pg_namespace nc, pg_constraint c
  WHERE nr.oid = r.relnamespace AND r.oid = a.attrelid AND nc.oid = c.connamespace
   AND r.oid = CASE c.contype WHEN 'f' THEN c.confrelid ELSE c.conrelid END
   AND a.attnum = ANY (CASE c.contype WHEN 'f' THEN c.confkey ELSE c.conkey END)
   AND NOT a.attisdropped AND c.contype IN ('p', 'u', 'f') AND r.relkind IN ('r', 'p')) x (tblschema, tblname, tblowner, colname, cstrschema, cstrname)
WHERE pg_has_role(x.tblowner, 'USAGE'::text)
== constraint_table_usage ssssss
SELECT $db AS table_catalog, nr.nspname AS table_schema, r.relname AS table_name, $db AS constraint_catalog, nc.nspname AS constraint_schema,
 c.conname AS constraint_name
FROM pg_constraint c, pg_namespace nc, pg_class r, pg_namespace nr
WHERE c.connamespace = nc.oid AND r.relnamespace = nr.oid
 AND (c.contype = 'f' AND c.confrelid = r.oid OR c.contype IN ('p', 'u') AND c.conrelid = r.oid)
 AND r.relkind IN ('r', 'p') AND pg_has_role(r.relowner, 'USAGE'::text)
== domain_constraints ssssssyy
SELECT $db AS constraint_catalog, rs.nspname AS constraint_schema, con.conname AS constraint_name, $db AS domain_catalog, n.nspname AS domain_schema,
 t.typname AS domain_name, yn(con.condeferrable) AS is_deferrable, yn(con.condeferred) AS initially_deferred
FROM pg_namespace rs, pg_namespace n, pg_constraint con, pg_type t
WHERE rs.oid = con.connamespace AND n.oid = t.typnamespace AND t.oid = con.contypid
 AND (pg_has_role(t.typowner, 'USAGE'::text) OR has_type_privilege(t.oid, 'USAGE'::text))
== domain_udt_usage ssssss
SELECT $db AS udt_catalog, nbt.nspname AS udt_schema, bt.typname AS udt_name, $db AS domain_catalog, nt.nspname AS domain_schema, t.typname AS domain_name
FROM pg_type t, pg_namespace nt, pg_type bt, pg_namespace nbt
WHERE t.typnamespace = nt.oid AND t.typbasetype = bt.oid AND bt.typnamespace = nbt.oid AND t.typtype = 'd' AND pg_has_role(bt.typowner, 'USAGE'::text)
== domains ssscnnssssssnnnncncssssssns
SELECT $db AS domain_catalog, nt.nspname AS domain_schema, t.typname AS domain_name, dt(bt, nbt, t.typbasetype)::varchar AS data_type,
 $len(t.typbasetype, t.typtypmod), $n(character_set_catalog, character_set_schema, character_set_name),
 CASE WHEN nco.nspname IS NOT NULL THEN current_database() END::name AS collation_catalog, nco.nspname AS collation_schema,
 co.collname AS collation_name, $num(t.typbasetype, t.typtypmod), $date(t.typbasetype, t.typtypmod), t.typdefault::varchar AS domain_default,
 $db AS udt_catalog, nbt.nspname AS udt_schema, bt.typname AS udt_name, $n(scope_catalog, scope_schema, scope_name), $i(maximum_cardinality),
 '1'::name AS dtd_identifier
FROM (pg_type t JOIN pg_namespace nt ON t.typnamespace = nt.oid)
 JOIN (pg_type bt JOIN pg_namespace nbt ON bt.typnamespace = nbt.oid) ON t.typbasetype = bt.oid AND t.typtype = 'd'
 LEFT JOIN (pg_collation co JOIN pg_namespace nco ON co.collnamespace = nco.oid)
  ON t.typcollation = co.oid AND (nco.nspname <> 'pg_catalog' OR co.collname <> 'default')
WHERE pg_has_role(t.typowner, 'USAGE'::text) OR has_type_privilege(t.oid, 'USAGE'::text)
== key_column_usage sssssssnn
SELECT $db AS constraint_catalog, ss.nc_nspname AS constraint_schema, ss.conname AS constraint_name, $db AS table_catalog,
 ss.nr_nspname AS table_schema, ss.relname AS table_name, a.attname AS column_name, ss.n::int4 AS ordinal_position,
 CASE WHEN ss.contype = 'f' THEN (SELECT g FROM generate_subscripts(k.conkey, 1) g WHERE k.conkey[g] = ss.confkey[ss.n]) END::int4
  AS position_in_unique_constraint
FROM pg_attribute a, (SELECT r.oid AS roid, r.relname, r.relowner, nc.nspname AS nc_nspname, nr.nspname AS nr_nspname, c.oid AS coid, c.conname,
  c.contype, c.conindid, c.confkey, c.confrelid, c.conkey, generate_subscripts(c.conkey, 1) AS n
  FROM pg_namespace nr, pg_class r, pg_namespace nc, pg_constraint c
  WHERE nr.oid = r.relnamespace AND r.oid = c.conrelid AND nc.oid = c.connamespace AND c.contype IN ('p', 'u', 'f')
   AND r.relkind IN ('r', 'p') AND NOT pg_is_other_temp_schema(nr.oid)) ss
 LEFT JOIN pg_constraint k ON ss.contype = 'f' AND k.conindid = ss.conindid AND k.contype IN ('p', 'u')
WHERE ss.roid = a.attrelid AND a.attnum = ss.conkey[ss.n] AND NOT a.attisdropped
 AND (pg_has_role(ss.relowner, 'USAGE'::text) OR has_column_privilege(ss.roid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'::text))
== parameters sssncyyscnnssssssnnnncnssssssnsc
SELECT $db AS specific_catalog, ss.n_nspname AS specific_schema, specific(ss.proname, ss.p_oid) AS specific_name, ss.n::int4 AS ordinal_position,
 CASE WHEN ss.proargmodes IS NULL THEN 'IN' WHEN ss.proargmodes[ss.n] = 'i' THEN 'IN' WHEN ss.proargmodes[ss.n] = 'o' THEN 'OUT'
  WHEN ss.proargmodes[ss.n] = 'b' THEN 'INOUT' WHEN ss.proargmodes[ss.n] = 'v' THEN 'IN' WHEN ss.proargmodes[ss.n] = 't' THEN 'OUT' END::varchar AS parameter_mode,
 yn(false) AS is_result, yn(false) AS as_locator, NULLIF(ss.proargnames[ss.n], '')::name AS parameter_name, dt(t, nt, t.oid)::varchar AS data_type,
 $i(character_maximum_length, character_octet_length), $n(character_set_catalog, character_set_schema, character_set_name, collation_catalog,
 collation_schema, collation_name), $i(numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision), $c(interval_type),
 $i(interval_precision), $db AS udt_catalog, nt.nspname AS udt_schema, t.typname AS udt_name, $n(scope_catalog, scope_schema, scope_name),
 $i(maximum_cardinality), ss.n::text::name AS dtd_identifier,
 CASE WHEN pg_has_role(ss.proowner, 'USAGE'::text) THEN pg_get_function_arg_default(ss.p_oid, ss.n) END::varchar AS parameter_default
FROM pg_type t, pg_namespace nt, (SELECT n.nspname AS n_nspname, p.proname, p.oid AS p_oid, p.proowner, p.proargnames, p.proargmodes,
  COALESCE(p.proallargtypes, p.proargtypes::oid[]) AS types,
  generate_series(1, array_length(COALESCE(p.proallargtypes, p.proargtypes::oid[]), 1)
   + CASE WHEN p.proallargtypes IS NULL THEN 0 ELSE 0 END) AS n
  FROM pg_namespace n, pg_proc p WHERE n.oid = p.pronamespace
   AND (pg_has_role(p.proowner, 'USAGE'::text) OR has_function_privilege(p.oid, 'EXECUTE'::text))) ss
WHERE t.oid = ss.types[ss.n - CASE WHEN ss.proargmodes IS NULL THEN 1 - array_lower(ss.types, 1) ELSE 0 END] AND t.typnamespace = nt.oid
== referential_constraints ssssssccc
SELECT $db AS constraint_catalog, ncon.nspname AS constraint_schema, con.conname AS constraint_name,
 CASE WHEN npkc.nspname IS NOT NULL THEN current_database() END::name AS unique_constraint_catalog, npkc.nspname AS unique_constraint_schema,
 pkc.conname AS unique_constraint_name,
 CASE con.confmatchtype WHEN 'f' THEN 'FULL' WHEN 'p' THEN 'PARTIAL' WHEN 's' THEN 'NONE' END::varchar AS match_option,
 rule(con.confupdtype) AS update_rule, rule(con.confdeltype) AS delete_rule
FROM pg_namespace ncon JOIN pg_constraint con ON ncon.oid = con.connamespace JOIN pg_class c ON con.conrelid = c.oid AND con.contype = 'f'
 LEFT JOIN pg_depend d1 ON d1.objid = con.oid AND d1.classid = 'pg_constraint'::regclass AND d1.refclassid = 'pg_class'::regclass AND d1.refobjsubid = 0
 LEFT JOIN pg_depend d2 ON d2.refclassid = 'pg_constraint'::regclass AND d2.classid = 'pg_class'::regclass AND d2.objid = d1.refobjid
  AND d2.objsubid = 0 AND d2.deptype = 'i'
 LEFT JOIN pg_constraint pkc ON pkc.oid = d2.refobjid AND pkc.contype IN ('p', 'u') AND pkc.conrelid = con.confrelid
 LEFT JOIN pg_namespace npkc ON pkc.connamespace = npkc.oid
WHERE pg_has_role(c.relowner, 'USAGE'::text) OR has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'::text)
 OR has_any_column_privilege(c.oid, 'INSERT, UPDATE, REFERENCES'::text)
== role_column_grants sssssscy
SELECT grantor, grantee, table_catalog, table_schema, table_name, column_name, privilege_type, is_grantable FROM column_privileges
WHERE grantor IN (SELECT role_name FROM enabled_roles) OR grantee IN (SELECT role_name FROM enabled_roles)
== routine_column_usage ssssssssss
SELECT DISTINCT $db AS specific_catalog, np.nspname AS specific_schema, specific(p.proname, p.oid) AS specific_name, $db AS routine_catalog,
 np.nspname AS routine_schema, p.proname AS routine_name, $db AS table_catalog, nt.nspname AS table_schema, t.relname AS table_name, a.attname AS column_name
FROM pg_namespace np, pg_proc p, pg_depend d, pg_class t, pg_namespace nt, pg_attribute a
WHERE np.oid = p.pronamespace AND p.oid = d.objid AND d.classid = 'pg_proc'::regclass AND d.refobjid = t.oid AND d.refclassid = 'pg_class'::regclass
 AND t.relnamespace = nt.oid AND t.relkind IN ('r', 'v', 'f', 'p') AND t.oid = a.attrelid AND d.refobjsubid = a.attnum AND pg_has_role(t.relowner, 'USAGE'::text)
== routine_privileges sssssssscy
SELECT u_grantor.rolname AS grantor, grantee.rolname AS grantee, $db AS specific_catalog, n.nspname AS specific_schema,
 specific(p.proname, p.oid) AS specific_name, $db AS routine_catalog, n.nspname AS routine_schema, p.proname AS routine_name,
 'EXECUTE'::varchar AS privilege_type, yn(pg_has_role(grantee.oid, p.proowner, 'USAGE'::text) OR p.grantable) AS is_grantable
FROM (SELECT p.oid, p.proname, p.proowner, p.pronamespace, e.grantor, e.grantee, e.privilege_type AS prtype, e.is_grantable AS grantable
  FROM pg_proc p, LATERAL aclexplode(COALESCE(p.proacl, acldefault('f', p.proowner))) e) p,
 pg_namespace n, pg_authid u_grantor, (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC'::name) grantee (oid, rolname)
WHERE p.pronamespace = n.oid AND grantee.oid = p.grantee AND u_grantor.oid = p.grantor AND p.prtype = 'EXECUTE'
 AND (pg_has_role(u_grantor.oid, 'USAGE'::text) OR pg_has_role(grantee.oid, 'USAGE'::text) OR grantee.rolname = 'PUBLIC')
== role_routine_grants sssssssscy
SELECT grantor, grantee, specific_catalog, specific_schema, specific_name, routine_catalog, routine_schema, routine_name, privilege_type, is_grantable
FROM routine_privileges WHERE grantor IN (SELECT role_name FROM enabled_roles) OR grantee IN (SELECT role_name FROM enabled_roles)
== routine_routine_usage ssssss
SELECT DISTINCT $db AS specific_catalog, np.nspname AS specific_schema, specific(p.proname, p.oid) AS specific_name, $db AS routine_catalog,
 np1.nspname AS routine_schema, specific(p1.proname, p1.oid) AS routine_name
FROM pg_namespace np, pg_proc p, pg_depend d, pg_proc p1, pg_namespace np1
WHERE np.oid = p.pronamespace AND p.oid = d.objid AND d.classid = 'pg_proc'::regclass AND d.refobjid = p1.oid AND d.refclassid = 'pg_proc'::regclass
 AND p1.pronamespace = np1.oid AND p.prokind IN ('f', 'p') AND p1.prokind IN ('f', 'p') AND pg_has_role(p1.proowner, 'USAGE'::text)
== routine_sequence_usage sssssssss
SELECT DISTINCT $db AS specific_catalog, np.nspname AS specific_schema, specific(p.proname, p.oid) AS specific_name, $db AS routine_catalog,
 np.nspname AS routine_schema, p.proname AS routine_name, $db AS sequence_catalog, ns.nspname AS sequence_schema, s.relname AS sequence_name
FROM pg_namespace np, pg_proc p, pg_depend d, pg_class s, pg_namespace ns
WHERE np.oid = p.pronamespace AND p.oid = d.objid AND d.classid = 'pg_proc'::regclass AND d.refobjid = s.oid AND d.refclassid = 'pg_class'::regclass
 AND s.relnamespace = ns.oid AND s.relkind = 'S' AND pg_has_role(s.relowner, 'USAGE'::text)
== routine_table_usage sssssssss
SELECT DISTINCT $db AS specific_catalog, np.nspname AS specific_schema, specific(p.proname, p.oid) AS specific_name, $db AS routine_catalog,
 np.nspname AS routine_schema, p.proname AS routine_name, $db AS table_catalog, nt.nspname AS table_schema, t.relname AS table_name
FROM pg_namespace np, pg_proc p, pg_depend d, pg_class t, pg_namespace nt
WHERE np.oid = p.pronamespace AND p.oid = d.objid AND d.classid = 'pg_proc'::regclass AND d.refobjid = t.oid AND d.refclassid = 'pg_class'::regclass
 AND t.relnamespace = nt.oid AND t.relkind IN ('r', 'v', 'f', 'p') AND pg_has_role(t.relowner, 'USAGE'::text)
== routines sssssscsssssscnnssssssnnnncnssssssnscccccycycynyycsssyttyycynnssssssnnnncnssssssns
SELECT $db AS specific_catalog, n.nspname AS specific_schema, specific(p.proname, p.oid) AS specific_name, $db AS routine_catalog,
 n.nspname AS routine_schema, p.proname AS routine_name, CASE p.prokind WHEN 'f' THEN 'FUNCTION' WHEN 'p' THEN 'PROCEDURE' END::varchar AS routine_type,
 $n(module_catalog, module_schema, module_name, udt_catalog, udt_schema, udt_name),
 CASE WHEN p.prokind = 'p' THEN NULL WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY' WHEN nt.nspname = 'pg_catalog' THEN format_type(t.oid, NULL::integer)
  ELSE 'USER-DEFINED' END::varchar AS data_type, $i(character_maximum_length, character_octet_length), $n(character_set_catalog, character_set_schema,
 character_set_name, collation_catalog, collation_schema, collation_name), $i(numeric_precision, numeric_precision_radix, numeric_scale,
 datetime_precision), $c(interval_type), $i(interval_precision),
 CASE WHEN nt.nspname IS NOT NULL THEN current_database() END::name AS type_udt_catalog, nt.nspname AS type_udt_schema, t.typname AS type_udt_name,
 $n(scope_catalog, scope_schema, scope_name), $i(maximum_cardinality),
 CASE WHEN p.prokind <> 'p' THEN '0' END::name AS dtd_identifier,
 CASE WHEN l.lanname = 'sql' THEN 'SQL' ELSE 'EXTERNAL' END::varchar AS routine_body,
 CASE WHEN pg_has_role(p.proowner, 'USAGE'::text) THEN p.prosrc END::varchar AS routine_definition,
 CASE WHEN l.lanname = 'c' THEN p.prosrc END::varchar AS external_name, upper(l.lanname::text)::varchar AS external_language,
 'GENERAL'::varchar AS parameter_style, yn(p.provolatile = 'i') AS is_deterministic, 'MODIFIES'::varchar AS sql_data_access,
 CASE WHEN p.prokind <> 'p' THEN CASE WHEN p.proisstrict THEN 'YES' ELSE 'NO' END END::varchar(3) AS is_null_call, $c(sql_path),
 yn(true) AS schema_level_routine, 0::int4 AS max_dynamic_result_sets, $y(is_user_defined_cast, is_implicitly_invocable),
 CASE WHEN p.prosecdef THEN 'DEFINER' ELSE 'INVOKER' END::varchar AS security_type, $n(to_sql_specific_catalog, to_sql_specific_schema,
 to_sql_specific_name), yn(false) AS as_locator, $t(created, last_altered), $y(new_savepoint_level), yn(false) AS is_udt_dependent,
 $c(result_cast_from_data_type), $y(result_cast_as_locator), $i(result_cast_char_max_length, result_cast_char_octet_length),
 $n(result_cast_char_set_catalog, result_cast_char_set_schema, result_cast_char_set_name, result_cast_collation_catalog,
 result_cast_collation_schema, result_cast_collation_name), $i(result_cast_numeric_precision, result_cast_numeric_precision_radix,
 result_cast_numeric_scale, result_cast_datetime_precision), $c(result_cast_interval_type), $i(result_cast_interval_precision),
 $n(result_cast_type_udt_catalog, result_cast_type_udt_schema, result_cast_type_udt_name, result_cast_scope_catalog, result_cast_scope_schema,
 result_cast_scope_name), $i(result_cast_maximum_cardinality), $n(result_cast_dtd_identifier)
FROM (pg_namespace n JOIN pg_proc p ON n.oid = p.pronamespace JOIN pg_language l ON p.prolang = l.oid)
 LEFT JOIN (pg_type t JOIN pg_namespace nt ON t.typnamespace = nt.oid) ON p.prorettype = t.oid AND p.prokind <> 'p'
WHERE pg_has_role(p.proowner, 'USAGE'::text) OR has_function_privilege(p.oid, 'EXECUTE'::text)
== schemata ssssssc
SELECT $db AS catalog_name, n.nspname AS schema_name, u.rolname AS schema_owner, $n(default_character_set_catalog, default_character_set_schema,
 default_character_set_name), $c(sql_path)
FROM pg_namespace n, pg_authid u
WHERE n.nspowner = u.oid AND (pg_has_role(n.nspowner, 'USAGE'::text) OR has_schema_privilege(n.oid, 'CREATE, USAGE'::text))
== sequences ssscnnnccccy
SELECT $db AS sequence_catalog, nc.nspname AS sequence_schema, c.relname AS sequence_name, format_type(s.seqtypid, NULL::integer)::varchar AS data_type,
 CASE s.seqtypid WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 END::int4 AS numeric_precision, 2::int4 AS numeric_precision_radix, 0::int4 AS numeric_scale,
 s.seqstart::text::varchar AS start_value, s.seqmin::text::varchar AS minimum_value, s.seqmax::text::varchar AS maximum_value,
 s.seqincrement::text::varchar AS increment, yn(s.seqcycle) AS cycle_option
FROM pg_namespace nc, pg_class c, pg_sequence s
WHERE c.relnamespace = nc.oid AND c.relkind = 'S' AND NOT EXISTS (SELECT 1 FROM pg_depend
  WHERE pg_depend.classid = 'pg_class'::regclass AND pg_depend.objid = c.oid AND pg_depend.deptype = 'i')
 AND NOT pg_is_other_temp_schema(nc.oid) AND c.oid = s.seqrelid
 AND (pg_has_role(c.relowner, 'USAGE'::text) OR has_sequence_privilege(c.oid, 'SELECT, UPDATE, USAGE'::text))
== table_constraints sssssscyyyy
SELECT $db AS constraint_catalog, nc.nspname AS constraint_schema, c.conname AS constraint_name, $db AS table_catalog, nr.nspname AS table_schema,
 r.relname AS table_name, CASE c.contype WHEN 'c' THEN 'CHECK' WHEN 'f' THEN 'FOREIGN KEY' WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' END::varchar AS constraint_type,
 yn(c.condeferrable) AS is_deferrable, yn(c.condeferred) AS initially_deferred, yn(true) AS enforced,
 CASE WHEN c.contype = 'u' THEN CASE WHEN (SELECT NOT x.indnullsnotdistinct FROM pg_index x WHERE x.indexrelid = c.conindid) THEN 'YES' ELSE 'NO' END END::varchar(3) AS nulls_distinct
FROM pg_namespace nc, pg_namespace nr, pg_constraint c, pg_class r
WHERE nc.oid = c.connamespace AND nr.oid = r.relnamespace AND c.conrelid = r.oid AND c.contype NOT IN ('t', 'x') AND r.relkind IN ('r', 'p')
 AND NOT pg_is_other_temp_schema(nr.oid) AND (pg_has_role(r.relowner, 'USAGE'::text)
  OR has_table_privilege(r.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'::text)
  OR has_any_column_privilege(r.oid, 'INSERT, UPDATE, REFERENCES'::text))
UNION ALL
SELECT $db, nr.nspname, (nr.oid::text || '_' || r.oid::text || '_' || a.attnum::text || '_not_null')::name, $db, nr.nspname, r.relname,
 'CHECK'::varchar, yn(false), yn(false), yn(true), NULL::varchar(3)
FROM pg_namespace nr, pg_class r, pg_attribute a
WHERE nr.oid = r.relnamespace AND r.oid = a.attrelid AND a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p')
 AND NOT pg_is_other_temp_schema(nr.oid) AND (pg_has_role(r.relowner, 'USAGE'::text)
  OR has_table_privilege(r.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'::text)
  OR has_any_column_privilege(r.oid, 'INSERT, UPDATE, REFERENCES'::text))
== table_privileges ssssscyy
SELECT u_grantor.rolname AS grantor, grantee.rolname AS grantee, $db AS table_catalog, nc.nspname AS table_schema, c.relname AS table_name,
 c.prtype::varchar AS privilege_type, yn(pg_has_role(grantee.oid, c.relowner, 'USAGE'::text) OR c.grantable) AS is_grantable,
 yn(c.prtype = 'SELECT') AS with_hierarchy
FROM (SELECT c.oid, c.relname, c.relnamespace, c.relkind, c.relowner, e.grantor, e.grantee, e.privilege_type AS prtype, e.is_grantable AS grantable
  FROM pg_class c, LATERAL aclexplode(COALESCE(c.relacl, acldefault('r', c.relowner))) e) c,
 pg_namespace nc, pg_authid u_grantor, (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC'::name) grantee (oid, rolname)
WHERE c.relnamespace = nc.oid AND c.relkind IN ('r', 'v', 'f', 'p') AND c.grantee = grantee.oid AND c.grantor = u_grantor.oid
 AND c.prtype IN ('INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER')
 AND (pg_has_role(u_grantor.oid, 'USAGE'::text) OR pg_has_role(grantee.oid, 'USAGE'::text) OR grantee.rolname = 'PUBLIC')
== role_table_grants ssssscyy
SELECT grantor, grantee, table_catalog, table_schema, table_name, privilege_type, is_grantable, with_hierarchy FROM table_privileges
WHERE grantor IN (SELECT role_name FROM enabled_roles) OR grantee IN (SELECT role_name FROM enabled_roles)
== tables ssscscsssyyc
SELECT $db AS table_catalog, nc.nspname AS table_schema, c.relname AS table_name,
 CASE WHEN nc.oid = pg_my_temp_schema() THEN 'LOCAL TEMPORARY' WHEN c.relkind IN ('r', 'p') THEN 'BASE TABLE' WHEN c.relkind = 'v' THEN 'VIEW'
  WHEN c.relkind = 'f' THEN 'FOREIGN' END::varchar AS table_type, $n(self_referencing_column_name), $c(reference_generation),
 CASE WHEN t.typname IS NOT NULL THEN current_database() END::name AS user_defined_type_catalog, nt.nspname AS user_defined_type_schema,
 t.typname AS user_defined_type_name,
 yn(c.relkind IN ('r', 'p') OR c.relkind IN ('v', 'f') AND (pg_relation_is_updatable(c.oid, false) & 8) = 8) AS is_insertable_into,
 yn(t.typname IS NOT NULL) AS is_typed, $c(commit_action)
FROM pg_namespace nc JOIN pg_class c ON nc.oid = c.relnamespace LEFT JOIN (pg_type t JOIN pg_namespace nt ON t.typnamespace = nt.oid) ON c.reloftype = t.oid
WHERE c.relkind IN ('r', 'v', 'f', 'p') AND NOT pg_is_other_temp_schema(nc.oid) AND (pg_has_role(c.relowner, 'USAGE'::text)
 OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'::text)
 OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'::text))
== transforms sssssssc !
SELECT $db AS udt_catalog, nt.nspname AS udt_schema, t.typname AS udt_name, $db AS specific_catalog, np.nspname AS specific_schema,
 specific(p.proname, p.oid) AS specific_name, l.lanname AS group_name, 'FROM SQL'::varchar AS transform_type
FROM pg_type t JOIN pg_transform x ON t.oid = x.trftype JOIN pg_language l ON x.trflang = l.oid JOIN pg_proc p ON x.trffromsql = p.oid
 JOIN pg_namespace nt ON t.typnamespace = nt.oid JOIN pg_namespace np ON p.pronamespace = np.oid
UNION
SELECT $db, nt.nspname, t.typname, $db, np.nspname, specific(p.proname, p.oid), l.lanname, 'TO SQL'::varchar
FROM pg_type t JOIN pg_transform x ON t.oid = x.trftype JOIN pg_language l ON x.trflang = l.oid JOIN pg_proc p ON x.trftosql = p.oid
 JOIN pg_namespace nt ON t.typnamespace = nt.oid JOIN pg_namespace np ON p.pronamespace = np.oid
== triggered_update_columns sssssss
SELECT $db AS trigger_catalog, n.nspname AS trigger_schema, t.tgname AS trigger_name, $db AS event_object_catalog, n.nspname AS event_object_schema,
 c.relname AS event_object_table, a.attname AS event_object_column
FROM pg_namespace n, pg_class c, pg_trigger t, pg_attribute a
WHERE n.oid = c.relnamespace AND c.oid = t.tgrelid AND a.attrelid = c.oid AND a.attnum = ANY (t.tgattr::int2[]) AND (t.tgtype & 16) <> 0
 AND NOT t.tgisinternal AND NOT pg_is_other_temp_schema(n.oid)
 AND (pg_has_role(c.relowner, 'USAGE'::text) OR has_column_privilege(c.oid, a.attnum, 'INSERT, UPDATE, REFERENCES'::text))
== triggers ssscsssnccccsssst
SELECT $db AS trigger_catalog, n.nspname AS trigger_schema, t.tgname AS trigger_name, em.text::varchar AS event_manipulation,
 $db AS event_object_catalog, n.nspname AS event_object_schema, c.relname AS event_object_table,
 rank() OVER (PARTITION BY n.nspname, c.relname, em.num, t.tgtype & 1, t.tgtype & 66 ORDER BY t.tgname)::int4 AS action_order,
 CASE WHEN pg_has_role(c.relowner, 'USAGE'::text) THEN (regexp_match(pg_get_triggerdef(t.oid), '.{35,} WHEN \((.+)\) EXECUTE FUNCTION'))[1] END::varchar AS action_condition,
 substring(pg_get_triggerdef(t.oid), position('EXECUTE FUNCTION' in substring(pg_get_triggerdef(t.oid), 48)) + 47)::varchar AS action_statement,
 CASE WHEN (t.tgtype & 1) = 1 THEN 'ROW' ELSE 'STATEMENT' END::varchar AS action_orientation,
 CASE t.tgtype & 66 WHEN 2 THEN 'BEFORE' WHEN 64 THEN 'INSTEAD OF' ELSE 'AFTER' END::varchar AS action_timing,
 t.tgoldtable AS action_reference_old_table, t.tgnewtable AS action_reference_new_table, $n(action_reference_old_row, action_reference_new_row), $t(created)
FROM pg_namespace n, pg_class c, pg_trigger t, (VALUES (4, 'INSERT'), (8, 'DELETE'), (16, 'UPDATE')) em (num, text)
WHERE n.oid = c.relnamespace AND c.oid = t.tgrelid AND (t.tgtype & em.num) <> 0 AND NOT t.tgisinternal AND NOT pg_is_other_temp_schema(n.oid)
 AND (pg_has_role(c.relowner, 'USAGE'::text) OR has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'::text)
 OR has_any_column_privilege(c.oid, 'INSERT, UPDATE, REFERENCES'::text))
== udt_privileges ssssscy
SELECT u_grantor.rolname AS grantor, grantee.rolname AS grantee, $db AS udt_catalog, n.nspname AS udt_schema, t.typname AS udt_name,
 'TYPE USAGE'::varchar AS privilege_type, yn(pg_has_role(grantee.oid, t.typowner, 'USAGE'::text) OR t.grantable) AS is_grantable
FROM (SELECT t.oid, t.typname, t.typnamespace, t.typtype, t.typowner, e.grantor, e.grantee, e.privilege_type AS prtype, e.is_grantable AS grantable
  FROM pg_type t, LATERAL aclexplode(COALESCE(t.typacl, acldefault('T', t.typowner))) e) t,
 pg_namespace n, pg_authid u_grantor, (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC'::name) grantee (oid, rolname)
WHERE t.typnamespace = n.oid AND t.typtype = 'c' AND t.grantee = grantee.oid AND t.grantor = u_grantor.oid AND t.prtype = 'USAGE'
 AND (pg_has_role(u_grantor.oid, 'USAGE'::text) OR pg_has_role(grantee.oid, 'USAGE'::text) OR grantee.rolname = 'PUBLIC')
== role_udt_grants ssssscy
SELECT grantor, grantee, udt_catalog, udt_schema, udt_name, privilege_type, is_grantable FROM udt_privileges
WHERE grantor IN (SELECT role_name FROM enabled_roles) OR grantee IN (SELECT role_name FROM enabled_roles)
== usage_privileges sssssccy
SELECT u.rolname AS grantor, 'PUBLIC'::name AS grantee, $db AS object_catalog, n.nspname AS object_schema, c.collname AS object_name,
 'COLLATION'::varchar AS object_type, 'USAGE'::varchar AS privilege_type, yn(false) AS is_grantable
FROM pg_authid u, pg_namespace n, pg_collation c
WHERE u.oid = c.collowner AND c.collnamespace = n.oid AND c.collencoding IN (-1, 6)
UNION ALL
SELECT u_grantor.rolname, grantee.rolname, $db, n.nspname, t.typname, 'DOMAIN'::varchar, 'USAGE'::varchar,
 yn(pg_has_role(grantee.oid, t.typowner, 'USAGE'::text) OR t.grantable)
FROM (SELECT t.typname, t.typnamespace, t.typtype, t.typowner, e.grantor, e.grantee, e.privilege_type AS prtype, e.is_grantable AS grantable
  FROM pg_type t, LATERAL aclexplode(COALESCE(t.typacl, acldefault('T', t.typowner))) e) t,
 pg_namespace n, pg_authid u_grantor, (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC'::name) grantee (oid, rolname)
WHERE t.typnamespace = n.oid AND t.typtype = 'd' AND t.grantee = grantee.oid AND t.grantor = u_grantor.oid AND t.prtype = 'USAGE'
 AND (pg_has_role(u_grantor.oid, 'USAGE'::text) OR pg_has_role(grantee.oid, 'USAGE'::text) OR grantee.rolname = 'PUBLIC')
UNION ALL
SELECT u_grantor.rolname, grantee.rolname, $db, ''::name, f.fdwname, 'FOREIGN DATA WRAPPER'::varchar, 'USAGE'::varchar,
 yn(pg_has_role(grantee.oid, f.fdwowner, 'USAGE'::text) OR f.grantable)
FROM (SELECT f.fdwname, f.fdwowner, e.grantor, e.grantee, e.privilege_type AS prtype, e.is_grantable AS grantable
  FROM pg_foreign_data_wrapper f, LATERAL aclexplode(COALESCE(f.fdwacl, acldefault('F', f.fdwowner))) e) f,
 pg_authid u_grantor, (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC'::name) grantee (oid, rolname)
WHERE u_grantor.oid = f.grantor AND grantee.oid = f.grantee AND f.prtype = 'USAGE'
 AND (pg_has_role(u_grantor.oid, 'USAGE'::text) OR pg_has_role(grantee.oid, 'USAGE'::text) OR grantee.rolname = 'PUBLIC')
UNION ALL
SELECT u_grantor.rolname, grantee.rolname, $db, ''::name, s.srvname, 'FOREIGN SERVER'::varchar, 'USAGE'::varchar,
 yn(pg_has_role(grantee.oid, s.srvowner, 'USAGE'::text) OR s.grantable)
FROM (SELECT s.srvname, s.srvowner, e.grantor, e.grantee, e.privilege_type AS prtype, e.is_grantable AS grantable
  FROM pg_foreign_server s, LATERAL aclexplode(COALESCE(s.srvacl, acldefault('S', s.srvowner))) e) s,
 pg_authid u_grantor, (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC'::name) grantee (oid, rolname)
WHERE u_grantor.oid = s.grantor AND grantee.oid = s.grantee AND s.prtype = 'USAGE'
 AND (pg_has_role(u_grantor.oid, 'USAGE'::text) OR pg_has_role(grantee.oid, 'USAGE'::text) OR grantee.rolname = 'PUBLIC')
UNION ALL
SELECT u_grantor.rolname, grantee.rolname, $db, n.nspname, c.relname, 'SEQUENCE'::varchar, 'USAGE'::varchar,
 yn(pg_has_role(grantee.oid, c.relowner, 'USAGE'::text) OR c.grantable)
FROM (SELECT c.relname, c.relnamespace, c.relkind, c.relowner, e.grantor, e.grantee, e.privilege_type AS prtype, e.is_grantable AS grantable
  FROM pg_class c, LATERAL aclexplode(COALESCE(c.relacl, acldefault('r', c.relowner))) e) c,
 pg_namespace n, pg_authid u_grantor, (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC'::name) grantee (oid, rolname)
WHERE c.relnamespace = n.oid AND c.relkind = 'S' AND c.grantee = grantee.oid AND c.grantor = u_grantor.oid AND c.prtype = 'USAGE'
 AND (pg_has_role(u_grantor.oid, 'USAGE'::text) OR pg_has_role(grantee.oid, 'USAGE'::text) OR grantee.rolname = 'PUBLIC')
== role_usage_grants sssssccy
SELECT grantor, grantee, object_catalog, object_schema, object_name, object_type, privilege_type, is_grantable FROM usage_privileges
WHERE grantor IN (SELECT role_name FROM enabled_roles) OR grantee IN (SELECT role_name FROM enabled_roles)
== user_defined_types ssscyyccsssccnnssssssnnnncnss
SELECT $db AS user_defined_type_catalog, n.nspname AS user_defined_type_schema, c.relname AS user_defined_type_name,
 'STRUCTURED'::varchar AS user_defined_type_category, yn(true) AS is_instantiable, $y(is_final), $c(ordering_form, ordering_category),
 $n(ordering_routine_catalog, ordering_routine_schema, ordering_routine_name), $c(reference_type, data_type), $i(character_maximum_length,
 character_octet_length), $n(character_set_catalog, character_set_schema, character_set_name, collation_catalog, collation_schema, collation_name),
 $i(numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision), $c(interval_type), $i(interval_precision),
 $n(source_dtd_identifier, ref_dtd_identifier)
FROM pg_namespace n, pg_class c, pg_type t
WHERE n.oid = c.relnamespace AND t.typrelid = c.oid AND c.relkind = 'c' AND (pg_has_role(t.typowner, 'USAGE'::text) OR has_type_privilege(t.oid, 'USAGE'::text))
== attributes ssssncycnnssssssnnnncnssssssnsy
SELECT $db AS udt_catalog, nc.nspname AS udt_schema, c.relname AS udt_name, a.attname AS attribute_name, a.attnum::int4 AS ordinal_position,
 pg_get_expr(ad.adbin, ad.adrelid)::varchar AS attribute_default, yn(NOT (a.attnotnull OR t.typtype = 'd' AND t.typnotnull)) AS is_nullable,
 dt(t, nt, a.atttypid)::varchar AS data_type, $len(truetype(a, t), truetypmod(a, t)),
 $n(character_set_catalog, character_set_schema, character_set_name),
 CASE WHEN nco.nspname IS NOT NULL THEN current_database() END::name AS collation_catalog, nco.nspname AS collation_schema,
 co.collname AS collation_name, $num(truetype(a, t), truetypmod(a, t)), $date(truetype(a, t), truetypmod(a, t)),
 $db AS attribute_udt_catalog, nt.nspname AS attribute_udt_schema, t.typname AS attribute_udt_name, $n(scope_catalog, scope_schema, scope_name),
 $i(maximum_cardinality), a.attnum::text::name AS dtd_identifier, yn(false) AS is_derived_reference_attribute
FROM (pg_attribute a LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum)
 JOIN (pg_class c JOIN pg_namespace nc ON c.relnamespace = nc.oid) ON a.attrelid = c.oid
 JOIN (pg_type t JOIN pg_namespace nt ON t.typnamespace = nt.oid) ON a.atttypid = t.oid
 LEFT JOIN (pg_collation co JOIN pg_namespace nco ON co.collnamespace = nco.oid)
  ON a.attcollation = co.oid AND (nco.nspname <> 'pg_catalog' OR co.collname <> 'default')
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'c' AND (pg_has_role(c.relowner, 'USAGE'::text) OR has_type_privilege(c.reltype, 'USAGE'::text))
== view_column_usage sssssss
SELECT DISTINCT $db AS view_catalog, nv.nspname AS view_schema, v.relname AS view_name, $db AS table_catalog, nt.nspname AS table_schema,
 t.relname AS table_name, a.attname AS column_name
FROM pg_namespace nv, pg_class v, pg_depend dv, pg_depend dt, pg_class t, pg_namespace nt, pg_attribute a
WHERE nv.oid = v.relnamespace AND v.relkind = 'v' AND v.oid = dv.refobjid AND dv.refclassid = 'pg_class'::regclass AND dv.classid = 'pg_rewrite'::regclass
 AND dv.deptype = 'i' AND dv.objid = dt.objid AND dv.refobjid <> dt.refobjid AND dt.classid = 'pg_rewrite'::regclass AND dt.refclassid = 'pg_class'::regclass
 AND dt.refobjid = t.oid AND t.relnamespace = nt.oid AND t.relkind IN ('r', 'v', 'f', 'p') AND t.oid = a.attrelid AND dt.refobjsubid = a.attnum
 AND pg_has_role(t.relowner, 'USAGE'::text)
== view_routine_usage ssssss
SELECT DISTINCT $db AS table_catalog, nv.nspname AS table_schema, v.relname AS table_name, $db AS specific_catalog, np.nspname AS specific_schema,
 specific(p.proname, p.oid) AS specific_name
FROM pg_namespace nv, pg_class v, pg_depend dv, pg_depend dp, pg_proc p, pg_namespace np
WHERE nv.oid = v.relnamespace AND v.relkind = 'v' AND v.oid = dv.refobjid AND dv.refclassid = 'pg_class'::regclass AND dv.classid = 'pg_rewrite'::regclass
 AND dv.deptype = 'i' AND dv.objid = dp.objid AND dp.classid = 'pg_rewrite'::regclass AND dp.refclassid = 'pg_proc'::regclass AND dp.refobjid = p.oid
 AND p.pronamespace = np.oid AND pg_has_role(p.proowner, 'USAGE'::text)
== view_table_usage ssssss
SELECT DISTINCT $db AS view_catalog, nv.nspname AS view_schema, v.relname AS view_name, $db AS table_catalog, nt.nspname AS table_schema, t.relname AS table_name
FROM pg_namespace nv, pg_class v, pg_depend dv, pg_depend dt, pg_class t, pg_namespace nt
WHERE nv.oid = v.relnamespace AND v.relkind = 'v' AND v.oid = dv.refobjid AND dv.refclassid = 'pg_class'::regclass AND dv.classid = 'pg_rewrite'::regclass
 AND dv.deptype = 'i' AND dv.objid = dt.objid AND dv.refobjid <> dt.refobjid AND dt.classid = 'pg_rewrite'::regclass AND dt.refclassid = 'pg_class'::regclass
 AND dt.refobjid = t.oid AND t.relnamespace = nt.oid AND t.relkind IN ('r', 'v', 'f', 'p') AND pg_has_role(t.relowner, 'USAGE'::text)
== views sssccyyyyy
SELECT $db AS table_catalog, nc.nspname AS table_schema, c.relname AS table_name,
 CASE WHEN pg_has_role(c.relowner, 'USAGE'::text) THEN pg_get_viewdef(c.oid) END::varchar AS view_definition,
 CASE WHEN 'check_option=cascaded' = ANY (c.reloptions) THEN 'CASCADED' WHEN 'check_option=local' = ANY (c.reloptions) THEN 'LOCAL' ELSE 'NONE' END::varchar AS check_option,
 yn((pg_relation_is_updatable(c.oid, false) & 20) = 20) AS is_updatable, yn((pg_relation_is_updatable(c.oid, false) & 8) = 8) AS is_insertable_into,
 yn(EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = c.oid AND (g.tgtype & 81) = 81)) AS is_trigger_updatable,
 yn(EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = c.oid AND (g.tgtype & 73) = 73)) AS is_trigger_deletable,
 yn(EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = c.oid AND (g.tgtype & 69) = 69)) AS is_trigger_insertable_into
FROM pg_namespace nc, pg_class c
WHERE c.relnamespace = nc.oid AND c.relkind = 'v' AND NOT pg_is_other_temp_schema(nc.oid) AND (pg_has_role(c.relowner, 'USAGE'::text)
 OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'::text)
 OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'::text))
== data_type_privileges ssscs
SELECT $db AS object_catalog, x.objschema AS object_schema, x.objname AS object_name, x.objtype::varchar AS object_type, x.objdtdid AS dtd_identifier
FROM (SELECT udt_schema, udt_name, 'USER-DEFINED TYPE'::text, dtd_identifier FROM attributes
 UNION ALL SELECT table_schema, table_name, 'TABLE'::text, dtd_identifier FROM columns
 UNION ALL SELECT domain_schema, domain_name, 'DOMAIN'::text, dtd_identifier FROM domains
 UNION ALL SELECT specific_schema, specific_name, 'ROUTINE'::text, dtd_identifier FROM parameters
 UNION ALL SELECT specific_schema, specific_name, 'ROUTINE'::text, dtd_identifier FROM routines) x (objschema, objname, objtype, objdtdid)
== element_types ssscscnnssssssnnnncncssssssns
SELECT $db AS object_catalog, n.nspname AS object_schema, x.objname AS object_name, x.objtype::varchar AS object_type,
 x.objdtdid::name AS collection_type_identifier, CASE WHEN nbt.nspname = 'pg_catalog' THEN format_type(bt.oid, NULL::integer) ELSE 'USER-DEFINED' END::varchar AS data_type,
 $i(character_maximum_length, character_octet_length), $n(character_set_catalog, character_set_schema, character_set_name),
 CASE WHEN nco.nspname IS NOT NULL THEN current_database() END::name AS collation_catalog, nco.nspname AS collation_schema, co.collname AS collation_name,
 $i(numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision), $c(interval_type), $i(interval_precision), $c(domain_default),
 $db AS udt_catalog, nbt.nspname AS udt_schema, bt.typname AS udt_name, $n(scope_catalog, scope_schema, scope_name), $i(maximum_cardinality),
 ('a' || x.objdtdid::text)::name AS dtd_identifier
FROM pg_namespace n, pg_type at, pg_namespace nbt, pg_type bt, (
  SELECT c.relnamespace, c.relname, CASE WHEN c.relkind = 'c' THEN 'USER-DEFINED TYPE' ELSE 'TABLE' END::text, a.attnum::int4, a.atttypid, a.attcollation
  FROM pg_class c, pg_attribute a WHERE c.oid = a.attrelid AND c.relkind IN ('r', 'v', 'f', 'c', 'p') AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT t.typnamespace, t.typname, 'DOMAIN'::text, 1, t.typbasetype, t.typcollation FROM pg_type t WHERE t.typtype = 'd'
  UNION ALL
  SELECT p.pronamespace, specific(p.proname, p.oid), 'ROUTINE'::text, g.n, p.proargtypes[g.n - 1], 0::oid
  FROM pg_proc p, LATERAL generate_series(1, p.pronargs::int4) g (n)
  UNION ALL
  SELECT p.pronamespace, specific(p.proname, p.oid), 'ROUTINE'::text, 0, p.prorettype, 0::oid FROM pg_proc p
 ) x (objschema, objname, objtype, objdtdid, objtypeid, objcollation)
 LEFT JOIN (pg_collation co JOIN pg_namespace nco ON co.collnamespace = nco.oid) ON x.objcollation = co.oid AND (nco.nspname <> 'pg_catalog' OR co.collname <> 'default')
WHERE n.oid = x.objschema AND at.oid = x.objtypeid AND at.typelem <> 0 AND at.typlen = -1 AND at.typelem = bt.oid AND nbt.oid = bt.typnamespace
 AND (n.nspname, x.objname, x.objtype, x.objdtdid::text) IN (SELECT object_schema, object_name, object_type::text, dtd_identifier::text FROM data_type_privileges)
== _pg_foreign_table_columns ---- !
SELECT n.nspname, c.relname, a.attname, a.attfdwoptions
FROM pg_foreign_table t, pg_authid u, pg_namespace n, pg_class c, pg_attribute a
WHERE u.oid = c.relowner AND (pg_has_role(c.relowner, 'USAGE'::text) OR has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'::text))
 AND n.oid = c.relnamespace AND c.oid = t.ftrelid AND c.relkind = 'f' AND a.attrelid = c.oid AND a.attnum > 0
== column_options sssssc
SELECT $db AS table_catalog, c.nspname AS table_schema, c.relname AS table_name, c.attname AS column_name, o.option_name::name AS option_name,
 o.option_value::varchar AS option_value
FROM _pg_foreign_table_columns c, LATERAL pg_options_to_table(c.attfdwoptions) o
== _pg_foreign_data_wrappers ---sssc !
SELECT w.oid, w.fdwowner, w.fdwoptions, $db AS foreign_data_wrapper_catalog, w.fdwname AS foreign_data_wrapper_name, u.rolname AS authorization_identifier,
 'c'::varchar AS foreign_data_wrapper_language
FROM pg_foreign_data_wrapper w, pg_authid u
WHERE u.oid = w.fdwowner AND (pg_has_role(w.fdwowner, 'USAGE'::text) OR has_foreign_data_wrapper_privilege(w.oid, 'USAGE'::text))
== foreign_data_wrapper_options sssc
SELECT w.foreign_data_wrapper_catalog, w.foreign_data_wrapper_name, o.option_name::name AS option_name, o.option_value::varchar AS option_value
FROM _pg_foreign_data_wrappers w, LATERAL pg_options_to_table(w.fdwoptions) o
== foreign_data_wrappers ssscc
SELECT foreign_data_wrapper_catalog, foreign_data_wrapper_name, authorization_identifier, $c(library_name), foreign_data_wrapper_language FROM _pg_foreign_data_wrappers
== _pg_foreign_servers --ssssccs !
SELECT s.oid, s.srvoptions, $db AS foreign_server_catalog, s.srvname AS foreign_server_name, $db AS foreign_data_wrapper_catalog,
 w.fdwname AS foreign_data_wrapper_name, s.srvtype::varchar AS foreign_server_type, s.srvversion::varchar AS foreign_server_version,
 u.rolname AS authorization_identifier
FROM pg_foreign_server s, pg_foreign_data_wrapper w, pg_authid u
WHERE w.oid = s.srvfdw AND u.oid = s.srvowner AND (pg_has_role(s.srvowner, 'USAGE'::text) OR has_server_privilege(s.oid, 'USAGE'::text))
== foreign_server_options sssc
SELECT s.foreign_server_catalog, s.foreign_server_name, o.option_name::name AS option_name, o.option_value::varchar AS option_value
FROM _pg_foreign_servers s, LATERAL pg_options_to_table(s.srvoptions) o
== foreign_servers ssssccs
SELECT foreign_server_catalog, foreign_server_name, foreign_data_wrapper_catalog, foreign_data_wrapper_name, foreign_server_type, foreign_server_version,
 authorization_identifier FROM _pg_foreign_servers
== _pg_foreign_tables sss-sss !
SELECT $db AS foreign_table_catalog, n.nspname AS foreign_table_schema, c.relname AS foreign_table_name, t.ftoptions, $db AS foreign_server_catalog,
 s.srvname AS foreign_server_name, u.rolname AS authorization_identifier
FROM pg_foreign_table t, pg_foreign_server s, pg_foreign_data_wrapper w, pg_authid u, pg_namespace n, pg_class c
WHERE w.oid = s.srvfdw AND u.oid = c.relowner AND (pg_has_role(c.relowner, 'USAGE'::text)
 OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'::text)
 OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'::text))
 AND n.oid = c.relnamespace AND c.oid = t.ftrelid AND c.relkind = 'f' AND s.oid = t.ftserver
== foreign_table_options ssssc
SELECT t.foreign_table_catalog, t.foreign_table_schema, t.foreign_table_name, o.option_name::name AS option_name, o.option_value::varchar AS option_value
FROM _pg_foreign_tables t, LATERAL pg_options_to_table(t.ftoptions) o
== foreign_tables sssss
SELECT foreign_table_catalog, foreign_table_schema, foreign_table_name, foreign_server_catalog, foreign_server_name FROM _pg_foreign_tables
== _pg_user_mappings ---ssss !
SELECT um.oid, um.umoptions, um.umuser, COALESCE(u.rolname, 'PUBLIC'::name) AS authorization_identifier, s.foreign_server_catalog,
 s.foreign_server_name, s.authorization_identifier AS srvowner
FROM pg_user_mapping um LEFT JOIN pg_authid u ON u.oid = um.umuser, _pg_foreign_servers s WHERE s.oid = um.umserver
== user_mapping_options ssssc
SELECT um.authorization_identifier, um.foreign_server_catalog, um.foreign_server_name, o.option_name::name AS option_name,
 CASE WHEN um.umuser <> 0 AND um.authorization_identifier = CURRENT_USER OR um.umuser = 0 AND pg_has_role(um.srvowner, 'USAGE'::text)
  OR (SELECT a.rolsuper FROM pg_authid a WHERE a.rolname = CURRENT_USER) THEN o.option_value END::varchar AS option_value
FROM _pg_user_mappings um, LATERAL pg_options_to_table(um.umoptions) o
== user_mappings sss
SELECT authorization_identifier, foreign_server_catalog, foreign_server_name FROM _pg_user_mappings
