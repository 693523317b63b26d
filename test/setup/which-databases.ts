/** Says at the start which databases the suite is about to run on. */
export function setup(): void {
  const postgres = process.env.TEST_DATABASE_URL
    ? 'and on PostgreSQL, with the fault tests'
    : 'only; set TEST_DATABASE_URL to run it on PostgreSQL too, with the fault tests'
  process.stdout.write(`Running on the embedded database (PGlite) ${postgres}.\n`)
}
