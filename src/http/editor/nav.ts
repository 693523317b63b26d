/** The desk's sections, in the order in which they stand in its head. A page names the one it belongs to. */
export const sections = [
  { name: 'week', label: 'This week', path: '/desk' },
  { name: 'issues', label: 'Issues', path: '/desk/issues' },
  { name: 'readers', label: 'Readers', path: '/desk/readers' },
  { name: 'content', label: 'Content', path: '/desk/content' },
  { name: 'votes', label: 'Votes', path: '/desk/votes' },
  { name: 'log', label: 'Log', path: '/desk/log' },
] as const

export type Section = (typeof sections)[number]['name']
