#include "base/check.h"
#include "ingest/decode/json_mapping.h"

namespace mailwarden::ingest {
namespace {

// Activities as the Reports API of Google's Admin SDK gives them, whole or one event at a time.
// Sigma's google_workspace rules use the names of the same events in Cloud Logging, so those stand
// beside the API's own.
constexpr const char* google_workspace = R"yaml(
mapping: google_workspace
logsource: {product: gcp, service: google_workspace}
recognise: {kind: "admin#reports#activity"}
time: {paths: [id.time], format: rfc3339, otherwise: received}
pairs:
  - at: events.parameters
    name: name
    values: [value, intValue, boolValue, multiValue, multiIntValue]
    prefix: parameters.
names:
  eventName: [name, events.name]
  protoPayload.metadata.event.eventName: [name, events.name]
  setting_name: [parameters.SETTING_NAME]
  new_value: [parameters.NEW_VALUE, parameters.new_value]
  old_value: [parameters.OLD_VALUE, parameters.old_value]
ocsf:
  actor_user: [actor.email, actor.profileId, actor.key]
  user: [parameters.USER_EMAIL, parameters.affected_email_address, parameters.target_user]
  src_ip: [ipAddress]
  service: [id.applicationName]
  resource: [parameters.doc_title, parameters.GROUP_EMAIL, parameters.ROLE_NAME,
    parameters.SETTING_NAME, parameters.APPLICATION_NAME, parameters.app_name]
cases:
  - when: {eventName: "?"}
    set: {class_uid: 6003, activity_id: 99, status: success}
  - when: {eventName: [view, download, "*VIEW*", "*DOWNLOAD*"]}
    set: {activity_id: 2}
  - when: {eventName: [edit, rename, move, "change_*", "CHANGE_*", "UPDATE_*", "TOGGLE_*"]}
    set: {activity_id: 3}
  - when: {eventName: [create, upload, copy, "CREATE_*", "ADD_*"]}
    set: {activity_id: 1}
  - when: {eventName: [trash, delete, "DELETE_*", "REMOVE_*"]}
    set: {activity_id: 4}

  - when: {id.applicationName: admin}
    set: {service: google_workspace.admin}
    fields: {eventService: admin.googleapis.com}
  - when: {id.applicationName: [login, user_accounts]}
    set: {service: google_workspace.login}
    ocsf: {user: [parameters.affected_email_address, actor.email]}
    fields:
      eventService: login.googleapis.com
      protoPayload.serviceName: login.googleapis.com
      protoPayload.Servicename: login.googleapis.com
  - when: {id.applicationName: drive}
    set: {service: google_workspace.drive}
  - when: {id.applicationName: gmail}
    set: {service: google_workspace.gmail}
  - when: {id.applicationName: token}
    set: {service: google_workspace.token}
  - when: {id.applicationName: ["groups", "groups_enterprise"]}
    set: {service: google_workspace.groups}
  - when: {id.applicationName: mobile}
    set: {service: google_workspace.mobile}
  - when: {id.applicationName: calendar}
    set: {service: google_workspace.calendar}

  - when: {id.applicationName: login, eventName: login_success}
    set: {class_uid: 3002, activity_id: 1, status: success}
  - when: {id.applicationName: login, eventName: login_failure}
    set: {class_uid: 3002, activity_id: 1, status: failure}
  - when: {id.applicationName: login, eventName: logout}
    set: {class_uid: 3002, activity_id: 2, status: success}
  - when: {id.applicationName: login, eventName: ["login_challenge", "login_verification"]}
    set: {class_uid: 3002, activity_id: 99, status: unknown}
  - when: {id.applicationName: login, eventName: ["suspicious_*", "gov_attack_warning"]}
    set: {class_uid: 3002, activity_id: 99, status: unknown}
  - when: {id.applicationName: login, parameters.is_second_factor: "true"}
    set: {is_mfa: true}
  - when: {id.applicationName: login, parameters.is_second_factor: "false"}
    set: {is_mfa: false}
  - when: {id.applicationName: login, eventName: "account_disabled*"}
    set: {class_uid: 3001, activity_id: 5, status: success}
  - when: {eventName: 2sv_enroll}
    set: {class_uid: 3001, activity_id: 10, status: success}
  - when: {eventName: 2sv_disable}
    set: {class_uid: 3001, activity_id: 11, status: success}
  - when: {eventName: password_edit}
    set: {class_uid: 3001, activity_id: 3, status: success}

  - when: {id.applicationName: admin, eventName: CREATE_USER}
    set: {class_uid: 3001, activity_id: 1}
  - when: {id.applicationName: admin, eventName: UNSUSPEND_USER}
    set: {class_uid: 3001, activity_id: 2}
  - when: {id.applicationName: admin, eventName: CHANGE_PASSWORD}
    set: {class_uid: 3001, activity_id: 4}
  - when: {id.applicationName: admin, eventName: SUSPEND_USER}
    set: {class_uid: 3001, activity_id: 5}
  - when: {id.applicationName: admin, eventName: DELETE_USER}
    set: {class_uid: 3001, activity_id: 6}
  - when:
      id.applicationName: admin
      eventName: [GRANT_ADMIN_PRIVILEGE, GRANT_DELEGATED_ADMIN_PRIVILEGES, ASSIGN_ROLE]
    set: {class_uid: 3001, activity_id: 7}
  - when:
      id.applicationName: admin
      eventName: [REVOKE_ADMIN_PRIVILEGE, REVOKE_DELEGATED_ADMIN_PRIVILEGES, UNASSIGN_ROLE]
    set: {class_uid: 3001, activity_id: 8}
  - when: {id.applicationName: admin, eventName: ADD_GROUP_MEMBER}
    set: {class_uid: 3006, activity_id: 3}
  - when: {id.applicationName: admin, eventName: REMOVE_GROUP_MEMBER}
    set: {class_uid: 3006, activity_id: 4}
  - when: {id.applicationName: admin, eventName: DELETE_GROUP}
    set: {class_uid: 3006, activity_id: 5}
  - when: {id.applicationName: admin, eventName: CREATE_GROUP}
    set: {class_uid: 3006, activity_id: 6}
)yaml";

// Cloud Logging's entries with an audit log inside. Sigma's gcp.audit rules name the method both by
// the entry's path and by an older short name, and some put "data." in front of the paths. BigQuery
// keeps the audit log as protopayload_auditlog, other data warehouses as protopayload.
constexpr const char* gcp_audit = R"yaml(
mapping: gcp_audit
logsource: {product: gcp, service: gcp.audit}
recognise: {protoPayload.methodName: "?"}
time: {paths: [timestamp, receiveTimestamp], format: rfc3339, otherwise: received}
names:
  protoPayload.methodName:
    [protoPayload.methodName, protopayload_auditlog.methodName, protopayload.methodName]
  protoPayload.serviceName:
    [protoPayload.serviceName, protopayload_auditlog.serviceName, protopayload.serviceName]
  protoPayload.resourceName:
    [protoPayload.resourceName, protopayload_auditlog.resourceName, protopayload.resourceName]
  protoPayload.status.code:
    [protoPayload.status.code, protopayload_auditlog.status.code, protopayload.status.code]
  gcp.audit.method_name: [protoPayload.methodName]
  data.protoPayload.methodName: [protoPayload.methodName]
  data.protoPayload.serviceName: [protoPayload.serviceName]
  data.protoPayload.authorizationInfo.permission: [protoPayload.authorizationInfo.permission]
  data.protoPayload.authorizationInfo.granted: [protoPayload.authorizationInfo.granted]
  data.protoPayload.resource.type: [resource.type]
  data.protoPayload.logName: [logName, logname]
  eventName: [protoPayload.metadata.event.eventName]
  eventService: [protoPayload.serviceName]
ocsf:
  actor_user:
    [protoPayload.authenticationInfo.principalEmail,
     protopayload_auditlog.authenticationInfo.principalEmail,
     protopayload.authenticationInfo.principalEmail,
     protoPayload.authenticationInfo.principalSubject]
  src_ip:
    [protoPayload.requestMetadata.callerIp, protoPayload.requestMetadata.callerIP,
     protopayload_auditlog.requestMetadata.callerIp, protopayload.requestMetadata.callerIP]
  resource: [protoPayload.resourceName, resource.labels.project_id]
  service: [protoPayload.serviceName]
  message: [protoPayload.status.message]
cases:
  - when: {protoPayload.methodName: "?"}
    set: {class_uid: 6003, activity_id: 99}
  - when: {protoPayload.methodName: ["*.get", "*.list*", "*.Get*", "*.List*", "*.aggregatedList"]}
    set: {activity_id: 2}
  - when:
      protoPayload.methodName:
        ["*.update", "*.patch", "*.replace", "*.set*", "*.Update*", "*.Patch", "*.Set*", "Set*",
         "*.enable", "*.disable"]
    set: {activity_id: 3}
  - when: {protoPayload.methodName: ["*.create", "*.insert", "*.Create*", "*.Insert", "Create*"]}
    set: {activity_id: 1}
  - when: {protoPayload.methodName: ["*.delete", "*.Delete*", "Delete*"]}
    set: {activity_id: 4}
  - when: {protoPayload.methodName: "?", protoPayload.status.code: ["0", "!"]}
    set: {status: success}
  - when: {protoPayload.authorizationInfo.granted: "false"}
    set: {status: failure}
  - when: {protoPayload.status.code: ["1*", "2*", "3*", "4*", "5*", "6*", "7*", "8*", "9*"]}
    set: {status: failure}
  - when: {protoPayload.serviceName: admin.googleapis.com}
    set: {service: google_workspace.admin}
  - when: {protoPayload.serviceName: login.googleapis.com}
    set: {service: google_workspace.login}
  - when: {protoPayload.serviceName: login.googleapis.com, eventName: login_success}
    set: {class_uid: 3002, activity_id: 1, status: success}
    ocsf: {user: [protoPayload.authenticationInfo.principalEmail]}
  - when: {protoPayload.serviceName: login.googleapis.com, eventName: login_failure}
    set: {class_uid: 3002, activity_id: 1, status: failure}
    ocsf: {user: [protoPayload.authenticationInfo.principalEmail]}
)yaml";

// Events of GitHub's audit log, as its API, its stream and its export give them: one object a line.
constexpr const char* github_audit = R"yaml(
mapping: github_audit
logsource: {product: github, service: audit}
recognise: {action: "*.*", _document_id: "?"}
time: {paths: ["@timestamp", created_at], format: epoch_milliseconds, otherwise: received}
ocsf:
  actor_user: [actor]
  user: [user]
  src_ip: [actor_ip]
  resource: [repo, repository, org, business]
cases:
  - when: {action: "?"}
    set: {class_uid: 6003, activity_id: 99, status: success}
  - when: {action: [git.clone, git.fetch, "repo.download*", "*.export*"]}
    set: {activity_id: 2}
  - when: {action: ["*.update*", "*.change*", "*.rename*", "*.set_*", "*.edit*"]}
    set: {activity_id: 3}
  - when: {action: ["*.create*", "*.add_*", "*.register*"]}
    set: {activity_id: 1}
  - when: {action: ["*.destroy*", "*.delete*", "*.remove*"]}
    set: {activity_id: 4}
  - when: {action: [two_factor_authentication.enabled]}
    set: {class_uid: 3001, activity_id: 10}
    ocsf: {user: [user, actor]}
  - when: {action: [two_factor_authentication.disabled]}
    set: {class_uid: 3001, activity_id: 11}
    ocsf: {user: [user, actor]}
  - when: {action: [org.add_member, team.add_member, repo.add_member]}
    set: {class_uid: 3006, activity_id: 3}
  - when: {action: [org.remove_member, team.remove_member, repo.remove_member]}
    set: {class_uid: 3006, activity_id: 4}
  - when: {action: org.update_member}
    set: {class_uid: 3006, activity_id: 99}
)yaml";

// Events of Okta's System Log. Data warehouses write the names of the first level in lower case, so
// those are taken too. Whoever an event is about stands first among its targets in the events that
// name a user here; in others the first target is an application, a policy or a zone.
constexpr const char* okta = R"yaml(
mapping: okta
logsource: {product: okta, service: okta}
recognise: {eventType: "*.*", published: "?", version: "?", actor.id: "?"}
time: {paths: [published], format: rfc3339, otherwise: received}
names:
  eventType: [eventType, eventtype]
  legacyEventType: [legacyEventType, legacyeventtype]
  displayMessage: [displayMessage, displaymessage]
  securityContext.isProxy: [securityContext.isProxy, securitycontext.isProxy]
  securityContext.asOrg: [securityContext.asOrg, securitycontext.asOrg]
  debugContext.debugData.privilegeGranted:
    [debugContext.debugData.privilegeGranted, debugcontext.debugData.privilegeGranted]
  debugContext.debugData.requestUri:
    [debugContext.debugData.requestUri, debugcontext.debugData.requestUri]
  debugContext.debugData.behaviors:
    [debugContext.debugData.behaviors, debugcontext.debugData.behaviors]
ocsf:
  actor_user: [actor.alternateId, actor.id]
  src_ip: [client.ipAddress]
  resource: [target.displayName, target.alternateId]
  message: [outcome.reason, displayMessage]
cases:
  - when: {eventType: "?"}
    set: {class_uid: 6003, activity_id: 99}
  - when: {eventType: ["*.update*"]}
    set: {activity_id: 3}
  - when: {eventType: ["*.create*", "*.add"]}
    set: {activity_id: 1}
  - when: {eventType: ["*.delete*", "*.remove", "*.revoke"]}
    set: {activity_id: 4}
  - when: {outcome.result: [SUCCESS, ALLOW]}
    set: {status: success}
  - when: {outcome.result: [FAILURE, DENY]}
    set: {status: failure}

  - when: {eventType: user.session.start}
    set: {class_uid: 3002, activity_id: 1}
    ocsf: {user: [actor.alternateId]}
  - when: {eventType: user.session.end}
    set: {class_uid: 3002, activity_id: 2}
    ocsf: {user: [actor.alternateId]}
  - when: {eventType: ["user.authentication.*", "user.mfa.okta_verify*"]}
    set: {class_uid: 3002, activity_id: 99}
    ocsf: {user: [actor.alternateId]}
  - when: {eventType: user.authentication.auth_via_mfa, outcome.result: SUCCESS}
    set: {is_mfa: true}

  - when: {eventType: ["user.account.*", "user.mfa.factor.*", "user.lifecycle.*"]}
    set: {class_uid: 3001, activity_id: 99}
    ocsf: {user: [target.alternateId, actor.alternateId]}
  - when: {eventType: user.lifecycle.create}
    set: {activity_id: 1}
  - when:
      eventType: [user.lifecycle.activate, user.lifecycle.reactivate, user.lifecycle.unsuspend]
    set: {activity_id: 2}
  - when: {eventType: user.account.update_password}
    set: {activity_id: 3}
  - when: {eventType: user.account.reset_password}
    set: {activity_id: 4}
  - when: {eventType: [user.lifecycle.deactivate, user.lifecycle.suspend]}
    set: {activity_id: 5}
  - when: {eventType: "user.lifecycle.delete*"}
    set: {activity_id: 6}
  - when: {eventType: user.account.privilege.grant}
    set: {activity_id: 7}
  - when: {eventType: user.account.privilege.revoke}
    set: {activity_id: 8}
  - when: {eventType: user.account.lock}
    set: {activity_id: 9}
  - when: {eventType: user.mfa.factor.activate}
    set: {activity_id: 10}
  - when:
      eventType: [user.mfa.factor.deactivate, user.mfa.factor.reset_all, user.mfa.factor.suspend]
    set: {activity_id: 11}
  - when: {eventType: group.privilege.grant}
    set: {class_uid: 3006, activity_id: 1}
  - when: {eventType: group.privilege.revoke}
    set: {class_uid: 3006, activity_id: 2}
  - when: {eventType: group.user_membership.add}
    set: {class_uid: 3006, activity_id: 3}
    ocsf: {user: [target.alternateId]}
  - when: {eventType: group.user_membership.remove}
    set: {class_uid: 3006, activity_id: 4}
    ocsf: {user: [target.alternateId]}
)yaml";

JsonMapping parsed(const char* text, const char* where) {
  auto mapping = parse_json_mapping(text, where);
  CHECK(mapping.has_value());
  return *std::move(mapping);
}

}  // namespace

const JsonMapping& google_workspace_mapping() {
  static const JsonMapping mapping = parsed(google_workspace, "mapping google_workspace");
  return mapping;
}

const JsonMapping& gcp_audit_mapping() {
  static const JsonMapping mapping = parsed(gcp_audit, "mapping gcp_audit");
  return mapping;
}

const JsonMapping& github_audit_mapping() {
  static const JsonMapping mapping = parsed(github_audit, "mapping github_audit");
  return mapping;
}

const JsonMapping& okta_mapping() {
  static const JsonMapping mapping = parsed(okta, "mapping okta");
  return mapping;
}

}  // namespace mailwarden::ingest
