/** Values of every type a column can have, among them the largest, the smallest and the strangest. */

/** A type and values of it, as SQL. */
export interface ColumnType {
  readonly type: string;
  readonly values: readonly string[];
  /** Only where the server has the type. */
  readonly on?: 'mariadb' | 'mysql';
}

const LONG = `REPEAT('ab😀', 16000)`;

/** SQL types and SQL expressions for values; NULL and the column's default come on top. */
export const COLUMN_TYPES: readonly ColumnType[] = [
  { type: 'tinyint', values: ['-128', '127', '0'] },
  { type: 'tinyint(1)', values: ['0', '1', '-1', '9'] },
  { type: 'tinyint unsigned', values: ['0', '255'] },
  { type: 'smallint', values: ['-32768', '32767'] },
  { type: 'mediumint', values: ['-8388608', '8388607'] },
  { type: 'int', values: ['-2147483648', '2147483647'] },
  { type: 'int(5) unsigned zerofill', values: ['0', '42', '4294967295'] },
  { type: 'bigint', values: ['-9223372036854775808', '9223372036854775807', '9007199254740993'] },
  { type: 'bigint unsigned', values: ['18446744073709551615', '9007199254740993'] },
  { type: 'decimal(65,30)', values: [`-${'9'.repeat(35)}.${'9'.repeat(30)}`, `0.${'0'.repeat(29)}1`, '0'] },
  { type: 'decimal(10,2) unsigned zerofill', values: ['0.01', '99999999.99'] },
  { type: 'decimal(5,0)', values: ['-99999', '-0'] },
  { type: 'float', values: ['3.4028234663852886e38', '1.17549435e-38', '0.1', '16777217', '-0.0', '123456.789'] },
  {
    type: 'double',
    values: ['1.7976931348623157e308', '2.2250738585072014e-308', '0.1e0', '1e0/3e0', '9007199254740993e0'],
  },
  { type: 'double(12,3)', values: ['123456789.123e0', '-0.001e0'] },
  { type: 'bit(1)', values: [`b'0'`, `b'1'`] },
  { type: 'bit(9)', values: [`b'000000001'`, `b'111111111'`] },
  { type: 'bit(64)', values: [`b'0'`, `b'${'1'.repeat(64)}'`, `b'1${'0'.repeat(63)}'`] },
  { type: 'date', values: [`'0000-00-00'`, `'1000-01-01'`, `'9999-12-31'`, `'2024-02-29'`, `'2024-00-00'`] },
  { type: 'datetime', values: [`'0000-00-00 00:00:00'`, `'1000-01-01 00:00:00'`, `'9999-12-31 23:59:59'`] },
  { type: 'datetime(6)', values: [`'2024-03-31 02:30:00.000001'`, `'2024-10-27 02:30:00.999999'`] },
  { type: 'timestamp NULL', values: [`'1970-01-01 00:00:01'`, `'2038-01-19 03:14:07'`, `'0000-00-00 00:00:00'`] },
  { type: 'timestamp(6) NULL', values: [`'2024-06-01 12:00:00.123456'`] },
  { type: 'time', values: [`'-838:59:59'`, `'838:59:59'`, `'00:00:00'`, `'-00:00:01'`] },
  { type: 'time(6)', values: [`'-838:59:58.999999'`, `'12:00:00.000001'`] },
  { type: 'year', values: ['0', '1901', '2000', '2155'] },
  { type: 'char(10) CHARACTER SET utf8mb4', values: [`'blank  '`, `''`, `'😀é'`, `'a\tb'`] },
  {
    type: 'varchar(40) CHARACTER SET utf8mb4',
    values: [`'blank  '`, `' '`, `''`, `'👩‍👩‍👧'`, `'\\\\ '' "'`, `CHAR(0)`, `'%_'`],
  },
  { type: 'varchar(40) CHARACTER SET utf8', values: [`'ñandú €'`] },
  { type: 'varchar(40) CHARACTER SET latin1', values: [`'ñandú €'`, `_binary x'8180ff'`] },
  { type: 'varchar(40) CHARACTER SET ascii', values: [`'plain'`] },
  { type: 'varchar(40) CHARACTER SET utf16', values: [`'😀é'`] },
  { type: 'varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin', values: [`'a'`, `'A'`, `'á'`] },
  { type: 'tinytext CHARACTER SET utf8mb4', values: [`REPEAT('é', 127)`] },
  { type: 'text CHARACTER SET utf8mb4', values: [LONG.replace('16000', '9000'), `'a\r\nb'`, `'blank '`] },
  { type: 'mediumtext CHARACTER SET utf8mb4', values: [LONG] },
  { type: 'longtext CHARACTER SET utf8mb4', values: [LONG] },
  { type: 'binary(8)', values: [`x''`, `x'00'`, `x'ff00ff0000000000'`, `'abc'`] },
  { type: 'varbinary(300)', values: [`x''`, `x'00'`, `x'20'`, `x'fffe00'`, `REPEAT(x'f09f9880', 75)`] },
  { type: 'tinyblob', values: [`x'00ff'`] },
  { type: 'blob', values: [`REPEAT(x'00ff80', 21845)`, `x''`] },
  { type: 'mediumblob', values: [`REPEAT(x'00ff80', 100000)`] },
  { type: 'longblob', values: [`x'deadbeef'`] },
  { type: `enum('Small','LARGE','it''s','a,b','')`, values: [`'Small'`, `'LARGE'`, `'it''s'`, `'a,b'`, `''`] },
  { type: `enum('ñ','Ñandú') CHARACTER SET utf8mb4`, values: [`'ñ'`, `'Ñandú'`] },
  { type: `set('A','b','it''s')`, values: [`''`, `'A,b'`, `'b,it''s'`, `'A,b,it''s'`] },
  {
    type: 'json',
    values: [`'{"a": [1, 2.50, "é😀", null, true]}'`, `'"x"'`, `'[]'`, `'null'`, `'1e400'`.replace('400', '40')],
  },
  { type: 'point', values: [`ST_GeomFromText('POINT(1.5 -2.25)')`] },
  { type: 'geometry', values: [`ST_GeomFromText('LINESTRING(0 0,1 1,2 0)')`, `ST_GeomFromText('POINT(1 2)')`] },
  { type: 'uuid', on: 'mariadb', values: [`'123e4567-e89b-12d3-a456-426614174000'`] },
  { type: 'inet6', on: 'mariadb', values: [`'::1'`, `'2001:db8::ff00:42:8329'`] },
  { type: 'inet4', on: 'mariadb', values: [`'192.168.0.1'`] },
  { type: 'vector(3)', on: 'mysql', values: [`TO_VECTOR('[1.5, -2.25, 3e10]')`] },
];

/** `v12` for the type at place 12. */
export const columnOf = (type: ColumnType): string => `v${COLUMN_TYPES.indexOf(type)}`;
