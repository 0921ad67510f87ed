// The HTTP API, complete: every route there is.
import { agentAccessRoutes } from './agentAccess.ts';
import { applianceRoutes } from './appliances.ts';
import { attentionRoutes } from './attentions.ts';
import { calendarRoutes } from './calendars.ts';
import { capacityRoutes } from './capacity.ts';
import { controlRoutes } from './control.ts';
import { enrolmentRoutes } from './enrolment.ts';
import { evidenceRoutes } from './evidence.ts';
import { fitRoutes } from './fit.ts';
import { gateRoutes } from './gates.ts';
import { inventoryRoutes } from './inventory.ts';
import { journalRoutes } from './journal.ts';
import { keyRoutes } from './keys.ts';
import { moveRoutes } from './moves.ts';
import { paceRoutes } from './pace.ts';
import { quarantineRoutes } from './quarantine.ts';
import type { Route } from './route.ts';
import { validationRoutes } from './validation.ts';
import { versionRoutes } from './versions.ts';
import { waveRoutes } from './waves.ts';
import { workloadRoutes } from './workloads.ts';

export const routes: readonly Route[] = [
  ...inventoryRoutes,
  ...calendarRoutes,
  ...waveRoutes,
  ...versionRoutes,
  ...moveRoutes,
  ...fitRoutes,
  ...capacityRoutes,
  ...controlRoutes,
  ...paceRoutes,
  ...gateRoutes,
  ...attentionRoutes,
  ...validationRoutes,
  ...journalRoutes,
  ...evidenceRoutes,
  ...workloadRoutes,
  ...enrolmentRoutes,
  ...agentAccessRoutes,
  ...applianceRoutes,
  ...quarantineRoutes,
  ...keyRoutes,
];
