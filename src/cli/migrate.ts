import type { Command } from 'commander'
import { openDatabase } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { readConfig } from '../config.ts'
import { answering } from './command.ts'

/** `migrate` */
export function addMigrateCommand(program: Command): void {
  answering(program.command('migrate').description('bring the database to the newest schema'), async () => {
    const config = readConfig(process.env)
    const connection = await openDatabase({ url: config.databaseUrl, dataDir: config.dataDir })
    try {
      const ran = await migrate(connection.db)
      return {
        json: { ran },
        lines: ran.length > 0 ? ran.map((name) => `Ran ${name}`) : ['The schema is up to date.'],
      }
    } finally {
      await connection.close()
    }
  })
}
