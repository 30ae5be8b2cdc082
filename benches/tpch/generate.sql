-- Fills the tables of schema.sql on PostgreSQL; variable sf: the scale factor. The distributions the queries depend on are
-- those of the specification, the words are ours. The same scale makes the same rows: every value is a hash of its key.
create function rnd(k bigint, salt int, lo int, hi int) returns int language sql immutable parallel safe
  as $$ select lo + ((hashint8extended(k, salt) & 9007199254740991) % (hi - lo + 1))::int $$;
create function pick(k bigint, salt int, words text[]) returns text language sql immutable parallel safe
  as $$ select words[rnd(k, salt, 1, cardinality(words))] $$;
create function prose(k bigint, salt int, n int) returns text language sql immutable parallel safe as $$
  select left(pick(k, salt, a) || pick(k, salt + 1, b) || pick(k, salt + 2, c) || pick(k, salt + 3, d) || pick(k, salt + 4, a) || pick(k, salt + 5, b), n)
  from (select array['carefully ', 'quickly ', 'blithely ', 'slyly ', 'furiously ', 'special ', 'pending ', 'express ', 'bold ', 'final ', 'regular ', 'ironic ', 'even ', 'unusual '] a,
    array['deposits ', 'packages ', 'accounts ', 'requests ', 'theodolites ', 'instructions ', 'foxes ', 'ideas ', 'platelets ', 'asymptotes '] b,
    array['sleep ', 'wake ', 'nag ', 'haggle ', 'cajole ', 'detect ', 'integrate ', 'boost ', 'use '] c,
    array['above the ', 'along the ', 'among the ', 'after the ', 'against the ', 'beyond the ', 'according to the '] d) w $$;
create function phone(k bigint, nation int) returns text language sql immutable parallel safe
  as $$ select nation + 10 || '-' || rnd(k, 901, 100, 999) || '-' || rnd(k, 902, 100, 999) || '-' || rnd(k, 903, 1000, 9999) $$;
create function address(k bigint) returns text language sql immutable parallel safe
  as $$ select left(translate(md5(k::text) || md5((k + 7)::text), '0123456789', 'GHJKLMNPQR'), rnd(k, 904, 10, 40)) $$;
create function price(p bigint) returns numeric language sql immutable parallel safe
  as $$ select ((90000 + (p / 10) % 20001 + 100 * (p % 1000)) / 100.0)::numeric(15,2) $$;
create function supplier_of(p bigint, i int, s bigint) returns int language sql immutable parallel safe
  as $$ select ((p + i * (s / 4 + (p - 1) / s)) % s + 1)::int $$;

select (10000 * :sf)::bigint as s, (200000 * :sf)::bigint as p, (150000 * :sf)::bigint as c, (1500000 * :sf)::bigint as o \gset
insert into region select i - 1, (array['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'])[i], prose(i, 10, 100) from generate_series(1, 5) i;
insert into nation select i - 1, n[i], r[i], prose(i, 20, 100) from generate_series(1, 25) i, (select
  array['ALGERIA', 'ARGENTINA', 'BRAZIL', 'CANADA', 'EGYPT', 'ETHIOPIA', 'FRANCE', 'GERMANY', 'INDIA', 'INDONESIA', 'IRAN', 'IRAQ', 'JAPAN', 'JORDAN',
    'KENYA', 'MOROCCO', 'MOZAMBIQUE', 'PERU', 'CHINA', 'ROMANIA', 'SAUDI ARABIA', 'VIETNAM', 'RUSSIA', 'UNITED KINGDOM', 'UNITED STATES'] n,
  array[0, 1, 1, 1, 4, 0, 3, 3, 2, 2, 4, 4, 2, 4, 0, 0, 0, 1, 2, 3, 4, 2, 3, 3, 1] r) w;
insert into supplier select k, 'Supplier#' || lpad(k::text, 9, '0'), address(k), n, phone(k, n), rnd(k, 31, -99999, 999999) / 100.0,
  case k % 2000 when 13 then 'slyly Customer quickly Complaints wake' when 17 then 'bold Customer foxes Recommends' else prose(k, 32, 101) end
  from (select k, rnd(k, 30, 0, 24) n from generate_series(1, :s) k) x;
insert into part select k, concat_ws(' ', pick(k, 40, c), pick(k, 41, c), pick(k, 42, c), pick(k, 43, c), pick(k, 44, c)), 'Manufacturer#' || m,
  'Brand#' || m || rnd(k, 46, 1, 5),
  pick(k, 47, array['STANDARD', 'SMALL', 'MEDIUM', 'LARGE', 'ECONOMY', 'PROMO']) || ' ' || pick(k, 48, array['ANODIZED', 'BURNISHED', 'PLATED', 'POLISHED', 'BRUSHED'])
    || ' ' || pick(k, 49, array['TIN', 'NICKEL', 'BRASS', 'STEEL', 'COPPER']),
  rnd(k, 50, 1, 50),
  pick(k, 51, array['SM', 'LG', 'MED', 'JUMBO', 'WRAP']) || ' ' || pick(k, 52, array['CASE', 'BOX', 'BAG', 'JAR', 'PKG', 'PACK', 'CAN', 'DRUM']),
  price(k), prose(k, 53, 20)
  from (select k, rnd(k, 45, 1, 5) m from generate_series(1, :p) k) x, (select regexp_split_to_array('almond antique aquamarine azure beige bisque black blanched blue
    blush brown burlywood burnished chartreuse chiffon chocolate coral cornflower cornsilk cream cyan dark deep dim dodger drab firebrick floral forest frosted
    gainsboro ghost goldenrod green grey honeydew hot indian ivory khaki lace lavender lawn lemon light lime linen magenta maroon medium metallic midnight mint
    misty moccasin navajo navy olive orange orchid pale papaya peach peru pink plum powder puff purple red rose rosy royal saddle salmon sandy seashell sienna
    sky slate smoke snow spring steel tan thistle tomato turquoise violet wheat white yellow', '\s+') c) w;
insert into partsupp select k, supplier_of(k, i, :s), rnd(k * 4 + i, 60, 1, 9999), rnd(k * 4 + i, 61, 100, 100000) / 100.0, prose(k * 4 + i, 62, 180)
  from generate_series(1, :p) k, generate_series(0, 3) i;
insert into customer select k, 'Customer#' || lpad(k::text, 9, '0'), address(k + 1000000000), n, phone(k + 1000000000, n), rnd(k, 71, -99999, 999999) / 100.0,
  pick(k, 72, array['AUTOMOBILE', 'BUILDING', 'FURNITURE', 'MACHINERY', 'HOUSEHOLD']), prose(k, 73, 110)
  from (select k, rnd(k, 70, 0, 24) n from generate_series(1, :c) k) x;
-- Every third customer has no orders; an order's key uses 8 of 32 numbers.
create temp table o as select i, ((i - 1) / 8 * 32 + (i - 1) % 8 + 1)::int as k, (rnd(i, 80, 1, (:c / 3)::int) * 3 - rnd(i, 81, 1, 2))::int as cust,
  date '1992-01-01' + rnd(i, 82, 0, 2405) as d, rnd(i, 83, 1, 7) as lines from generate_series(1, :o) i;
insert into lineitem select k, part, supplier_of(part, rnd(n, 92, 0, 3), :s), line, q, q * price(part), rnd(n, 93, 0, 10) / 100.0, rnd(n, 94, 0, 8) / 100.0,
  case when receipt > date '1995-06-17' then 'N' else pick(n, 95, array['R', 'A']) end, case when ship > date '1995-06-17' then 'O' else 'F' end,
  ship, d + rnd(n, 96, 30, 90), receipt, pick(n, 97, array['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN']),
  pick(n, 98, array['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB']), prose(n, 99, rnd(n, 105, 10, 43))
  from (select *, ship + rnd(n, 106, 1, 30) as receipt
    from (select k, d, n, line, rnd(n, 90, 1, (:p)::int) as part, rnd(n, 91, 1, 50) as q, d + rnd(n, 107, 1, 121) as ship
      from (select k, d, line, i * 8 + line as n from o, generate_series(1, lines) line) a) b) c;
insert into orders select o.k, cust, s, t, d, pick(i, 110, array['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW']),
  'Clerk#' || lpad(rnd(i, 111, 1, greatest(1, (1000 * :sf)::int))::text, 9, '0'), 0, prose(i, 112, 78)
  from o join (select l_orderkey k, case min(l_linestatus) || max(l_linestatus) when 'OO' then 'O' when 'FF' then 'F' else 'P' end s,
    sum(l_extendedprice * (1 + l_tax) * (1 - l_discount))::numeric(15,2) t from lineitem group by 1) l on l.k = o.k order by i;
