import { promises as fs } from 'node:fs'
import path from 'node:path'
import type { Kysely } from 'kysely'
import { FileMigrationProvider, Migrator } from 'kysely/migration'
import type { Database } from './schema.ts'

/** Brings the schema up to date and returns the names of the migrations that ran. Safe in several processes at once. */
export async function migrate(db: Kysely<Database>): Promise<readonly string[]> {
  const { error, results } = await migrator(db).migrateToLatest()
  if (error) throw error
  return (results ?? []).map((result) => result.migrationName)
}

/** The migrations that this database still lacks. */
export async function pendingMigrations(db: Kysely<Database>): Promise<readonly string[]> {
  const all = await migrator(db).getMigrations()
  return all.filter((migration) => !migration.executedAt).map((migration) => migration.name)
}

function migrator(db: Kysely<Database>): Migrator {
  const migrationFolder = path.join(import.meta.dirname, 'migrations')
  return new Migrator({ db, provider: new FileMigrationProvider({ fs, path, migrationFolder }) })
}
