import { destination, type Logger, pino } from 'pino'

export type Log = Logger

/** Structured lines on stderr, ids and counts only: never an address, a token or a subject (S24). */
export function createLog(level: string): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    destination({ fd: 2, sync: true }),
  )
}
