// The checks of `rivulet doctor`, each in a file of its own. They look at the subject and say what they
// find; none changes anything, but for what Host::TimeSyncs and Host::Probe do.
#pragma once

#include "node/doctor/finding.h"
#include "node/doctor/subject.h"

namespace rivulet {

void CheckConfig(Subject* subject, Findings* findings);
void CheckPipelines(Subject* subject, Findings* findings);
void CheckClock(Subject* subject, Findings* findings);
void CheckDisk(Subject* subject, Findings* findings);
void CheckCard(Subject* subject, Findings* findings);
void CheckSync(Subject* subject, Findings* findings);
void CheckPermissions(Subject* subject, Findings* findings);
void CheckPaths(Subject* subject, Findings* findings);
void CheckMemory(Subject* subject, Findings* findings);
void CheckLimits(Subject* subject, Findings* findings);
void CheckPower(Subject* subject, Findings* findings);
void CheckCpu(Subject* subject, Findings* findings);
void CheckProcess(Subject* subject, Findings* findings);
void CheckHttp(Subject* subject, Findings* findings);
void CheckBroker(Subject* subject, Findings* findings);
void CheckAccess(Subject* subject, Findings* findings);
void CheckBrokerLimits(Subject* subject, Findings* findings);
void CheckMosquitto(Subject* subject, Findings* findings);

}  // namespace rivulet
