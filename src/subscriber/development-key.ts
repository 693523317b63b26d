import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BadConfig } from '../config.ts'
import { parseSigningKeys, type SigningKey } from './token.ts'

/** The signing key of a development machine: made once under the data folder, readable by its owner only. */
export function developmentKeys(dataDir: string): readonly SigningKey[] {
  mkdirSync(dataDir, { recursive: true })
  const file = join(dataDir, 'signing.key')
  try {
    writeFileSync(file, `dev:${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  const keys = parseSigningKeys(readFileSync(file, 'utf8'))
  if (!keys) {
    const problem = `${file} is damaged. Remove it to have a new one made; links in mails already sent stop working.`
    throw new BadConfig([{ name: 'DATA_DIR', problem }])
  }
  return keys
}
