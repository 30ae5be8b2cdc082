-- Templates of to_char, to_date, to_timestamp and to_number: rare patterns and faulty input.
select to_char('2024-02-29 12:34:56.789'::timestamp, 'FMOF.'), to_char('2024-02-29 12:34:56.789'::timestamp, 'TMHH24th TMSS-TMDay TMMonth|');
select to_char('0001-12-31 23:59:59 BC'::timestamp, 'IWSP/TMrm:dy HH12"x"'), to_char('0001-12-31 23:59:59 BC'::timestamp, 'MONTH.TZH/TMIYYTZM ');
select to_char(i, 'IYYY IYY IY I IW J RM rm YYYY YYY CC DDD SSSS HH24 HH12th MI') from (values (interval '0'), ('1 year 2 mons 3 days 04:05:06.789'),
  ('-1 mon'), ('-1 year -2 mons +3 days -04:05:06'), ('10 years'), ('30 days')) v(i);
select to_char(interval '1 mon', 'Month');
select to_char('2024-02-29 12:34:56.789'::timestamp, E'"a\\"b" \\"HH\\" \\x "open');
select to_char('2024-02-29 12:34:56.789'::timestamp, 'FF1 FF2th FF3 FF4 FF5 FF6 MSth UStH Y,YYYth Qth Wth Dth IDth CCth Jth SSSSth');
-- Numbers.
select to_char(0, '999SP'), to_char(0, '99S99'), to_char(-1, 'SP9'), to_char(1, '9999xRN9'), to_char(0, 'LRN'), to_char(1, 'SG9rnMI');
select to_char(0::numeric, '  SP S'), to_char(0::numeric, 'rn99 G '), to_char(0::float8, '9999--rn'), to_char(0::float4, 'SG099RN 99');
select to_char(0, 'B th');
select to_char(1::float8, 'th');
select to_char(0::float8, 'thBG G');
select n, p, '[' || to_char(n::numeric, p) || ']' as num, '[' || to_char(n::float8, p) || ']' as dbl, '[' || to_char(n::float4, p) || ']' as single
  from unnest(array['0', '1', '-1', '12', '-12.5', '0.1', '-0.01', '1234.567', '485', '123456789', 'NaN', 'Infinity', '-Infinity', '0.0005', '99.995']) n,
  unnest(array['9', '99.9', 'FM99.99', 'FM990.00', '0999.9', 'S99.9', '99.9S', '99S', 'MI99.9', '99.9MI', 'PL99', 'SG99.99', '99.9PR', 'FM99.9PR',
  '9,999.9', 'FM9,999', '9G999D99', 'L99.9', '99V99', 'V9', '.99', 'FM.99', '9.', '99th', 'FM999TH', '"a"9"b"', '9.99EEEE', '000', 'FM000.90', 'S.9', '9 9 9', 'FM9 S9']) p;
select to_char(3999, 'RN'), to_char(4000, 'RN'), to_char(0, 'FMRN'), to_char(14, 'FMrn'), to_char(2.5, 'FMRN'), to_char(3.5::float8, 'FMRN');
select to_char(12345, '999V999'), to_char(2147483647, '9V9999');
select to_char(1, '9.9.9');
select to_char(1, '9V9.9');
select to_char(1, 'S9S');
select to_char(1, '9MIS');
select to_char(1, '9SMI');
select to_char(1, 'S9PR');
select to_char(1, '9PR9');
select to_char(1, '9PR0');
select to_char(1, '9EEEE9');
select to_char(1, 'FM9EEEE');
select to_char(1, '9EEEEEEEE');
select to_char(1, ''), to_char(now(), '') is null, to_number('1', '') is null;
-- Back from text.
select to_number('2024-02-29', '0D9');
select to_number('12:34:56', 'C9PRD');
select to_number('12:34:56', 'SP999THEEEE');
select to_number('1,234.5-', '9,999.9S'), to_number('-12', 'S99'), to_number('<12>', '99PR'), to_number('$ 12.5', 'L99.9'), to_number('12th', '99TH'),
  to_number('1234', '99V99'), to_number('12é5', '99x9'), to_number('5.01-', 'FM9.999MI'), to_number('.5-', '9.9S'), to_number('+7', 'SG9');
select to_number('abc', '999');
select to_number('', '999');
select to_number('1', 'RN');
select to_timestamp('2024-02-29', 'DD:IYY Dth.');
select to_date('2024-02-29', 'HH12:IW:RMTtzTH ');
select to_timestamp('12:34:56', E'FXYSP  DDFXYY\\"');
select to_timestamp('12:34:56 PM', 'TMY"x"Y,YYY.');
select to_date('05 Dec 2000', 'MS DD-');
select to_timestamp('05 Dec 2000', 'IYmonth  MON.TZM,');
select to_date('99', E'FXIDDDTH\\"amSPTmon,');
select to_date('99', E'IYY-IW.FMMONTH\\"');
select f, s, to_timestamp(s, f) at time zone 'UTC' as t from (values ('YYYY-MM-DD', '2024-02-29'), ('YYYYMMDDHH24MISS', '20240229123456'), ('DD Mon YYYY', '05 Dec 2000'),
  ('DD MONTH YYYY', '05   december  2000'), ('Y,YYY', '1,999'), ('YY', '99'), ('Y', '2'), ('YYYY DDD', '2024 366'), ('IYYY-IW-ID', '2024-09-4'), ('IYYY-IDDD', '2024-060'),
  ('CC YY', '19 99'), ('CC', '21'), ('CC BC', '5 BC'), ('YYYY BC', '44 BC'), ('YYYY b.c.', '2024 b.c.'), ('J', '2451187'), ('RM', 'IV'), ('Q YYYY', '3 2001'),
  ('WW YYYY', '7 2001'), ('W MM YYYY', '3 5 2001'), ('HH12:MI AM', '12:34 AM'), ('HH:MI p.m.', '11:30 p.m.'), ('SSSS', '86399'), ('SS.MS', '5.25'), ('SS.US', '5.000123'),
  ('SS.FF3', '5.1239'), ('FF2', '129'), ('YYYY-MM-DD TZH:TZM', '2024-01-01 +05:30'), ('YYYY-MM-DDTZH', '2024-01-01-08'), ('HH24 TZH', '10 -3'), ('DD/MM/YYYY', '1-2-2003'),
  ('FMDD FMMM FMYYYY', '1 12 99999'), ('DDMMYYYY', '  01022003'), ('"text"YYYY', 'abcd2003'), ('YYYY"x"MM', '2003x04'), ('DDth Mon YYYY', '1st Jan 2001'), ('Day YYYY', 'friday 2001')) v(f, s);
select to_timestamp('13:00', 'HH:MI');
select to_timestamp('2000-13-01', 'YYYY-MM-DD');
select to_timestamp('2000-02-30', 'YYYY-MM-DD');
select to_timestamp('24:00', 'HH24:MI');
select to_timestamp('10:60', 'HH24:MI');
select to_timestamp('2000 1999', 'YYYY YYYY');
select to_timestamp('20', 'FXYYYY');
select to_timestamp('2x00', 'YYYYMM');
select to_timestamp('Foo', 'Mon');
select to_timestamp('2000 +16', 'YYYY TZH');
select to_timestamp('1', 'TZ');
select to_date('99999999999', 'YYYY');
select to_date('6000000', 'YYYY');
select to_date('4715 BC', 'YYYY BC');
-- format, concat and units.
select format('%*s|%*2$s|%-*1$s|', 5, 7, 'x');
select format('%*s', 12.50, 'a');
select format('%*s%10s', true, 'a');
select concat(variadic '{{"12",NULL},{"a","b"}}'::text[]), concat_ws(',', variadic '{{NULL,"h"},{NULL,"w"}}'::text[]), concat(variadic array[1, 2]), concat_ws('-', variadic array[1.5, null, 2]),
  concat(variadic null::text[]) is null, concat_ws(',', variadic null::text[]) is null;
select date_part('the quick brown fox jumps over the lazy dog. The Quick Brown Fox jumps', timestamp '2000-01-01');
select make_time(0, 99, 'Infinity');
-- Bytes and hashes.
select numeric_send('Infinity'), numeric_send('-Infinity'), numeric_send('NaN');
select hash_range_extended('(,5]'::numrange, 5), hash_multirange_extended('{(,1],[7,)}'::int4multirange, 100), hash_range_extended('empty'::int4range, 1),
  jsonb_hash('[]'), jsonb_hash('{}'), jsonb_hash_extended('[]', 7);
select '{"a"b}'::text[];
select '{"a""b"}'::text[];
select numrange_subdiff(1e200, 99999999999999999999.99999), '(,1)'::tid, '(7,)'::tid, '(,)'::tid;
select 'x('::tid;
select '{}'::jsonb @@ '$x == null', '{}'::jsonb @? '$x', '{}'::jsonb @? '$x.abs()';
select jsonb_path_exists('{}', '$x');
select E'$.a\\'::jsonpath;
select age('infinity'::timestamp, 'infinity'::timestamp), "bit"(B'101', 2147483647, true);
select to_number('5.01+','FM9.999PL'), to_number('5.01-','FM9.999SG'), to_number('5.01-', 'FM9.999PL'), to_number('5.01-','9.999MI'), to_number('5.01-','FM9.999'),
  to_number('501-','FM99999MI'), to_number('501+','FM99999MI');
select to_char(922337203685477580, '9V9999');
-- Shortest digits lie strictly between the neighbours' halves.
select 5e22::float8, 7e22::float8, 1e23::float8, 8.41e21::float8, 1e22::float8, 9007199254740993::float8, 33554436::float4, 8589973000::float4, to_json(1e23::float8);
